"""Made-up rows in the three column sets of the CFPB publication, all of one complaint; nothing is read here."""

FOURTEEN = (
    "Date received,Product,Sub-product,Issue,Sub-issue,Company,State,ZIP code,Consumer consent provided?,"
    "Submitted via,Date sent to company,Company response to consumer,Timely response?,Consumer disputed?"
)
SIXTEEN = (
    "Date received,Product,Sub-product,Issue,Sub-issue,Consumer complaint narrative,Company public response,Company,"
    "State,ZIP code,Submitted via,Date sent to company,Company response to consumer,Timely response?,"
    "Consumer disputed?,Complaint ID"
)
EIGHTEEN = (
    "Date received,Product,Sub-product,Issue,Sub-issue,Consumer complaint narrative,Company public response,Company,"
    "State,ZIP code,Tags,Consumer consent provided?,Submitted via,Date sent to company,Company response to consumer,"
    "Timely response?,Consumer disputed?,Complaint ID"
)
ROW_14 = "9/2/2016,Mortgage,Other,Fees,,A Bank,VA,24540,N/A,Phone,9/5/2016,Closed with explanation,No,Yes"
ROW_16 = (
    "2016-09-02,Mortgage,Other,Fees,,It is wrong,,A Bank,VA,245XX,Phone,2016-09-05,Closed with explanation,No,Yes,77"
)
ROW_18 = (
    "09/02/2016,Mortgage,Other,Fees,,It is wrong,,A Bank,VA,245XX,,,Phone,09/05/2016,Closed with explanation,No,Yes,77"
)
