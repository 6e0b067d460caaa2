"""The words of the made-up bank: names, sentences and departments. No person in here exists, and nothing here is drawn by chance.

Placeholders in braces are filled by `complaints`; every text that a customer or a handler writes is Chinese.
"""

SURNAMES = tuple("王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕")
GIVEN = tuple("伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华玉兰建国晓雪婷浩宇欣怡子涵梓萱俊豪雨桐思远佳琪嘉诚文博")

REGION_OF = {
    "beijing": ("Beijing", "beijing"),
    "shanghai": ("Shanghai", "shanghai"),
    "guangzhou": ("Guangzhou", "guangdong"),
    "shenzhen": ("Shenzhen", "guangdong"),
    "hangzhou": ("Hangzhou", "zhejiang"),
    "nanjing": ("Nanjing", "jiangsu"),
    "chengdu": ("Chengdu", "sichuan"),
    "wuhan": ("Wuhan", "hubei"),
    "xian": ("Xi'an", "shaanxi"),
    "shenyang": ("Shenyang", "liaoning"),
}
"""The city that a branch's code begins with: its English name, and its region."""

BRANCHES: tuple[tuple[str, str], ...] = (
    ("beijing-chaoyang", "北京朝阳支行"),
    ("beijing-haidian", "北京海淀支行"),
    ("shanghai-pudong", "上海浦东支行"),
    ("shanghai-xuhui", "上海徐汇支行"),
    ("guangzhou-tianhe", "广州天河支行"),
    ("shenzhen-nanshan", "深圳南山支行"),
    ("hangzhou-xihu", "杭州西湖支行"),
    ("nanjing-gulou", "南京鼓楼支行"),
    ("chengdu-jinjiang", "成都锦江支行"),
    ("wuhan-wuchang", "武汉武昌支行"),
    ("xian-yanta", "西安雁塔支行"),
    ("shenyang-heping", "沈阳和平支行"),
)

DEPARTMENTS: dict[str, tuple[str, str]] = {
    "debit": ("个人数字金融部 Personal Digital Banking", "grsz"),
    "credit": ("信用卡中心 Credit Card Centre", "xyk"),
    "loans": ("个人信贷部 Retail Lending", "xd"),
    "payments": ("支付结算部 Payments", "zf"),
    "collection": ("资产保全部 Collections", "zc"),
    "fx": ("国际业务部 Foreign Exchange", "gj"),
    "wealth": ("财富管理部 Wealth Management", "cf"),
    "branches": ("网点管理部 Branch Operations", "wd"),
    "protection": ("消费者权益保护部 Consumer Protection", "xb"),
}
"""A department with its two names, and the letters that its staff ids begin with."""

DEMANDS = (
    "要求尽快处理并给出书面答复",
    "要求退还已扣费用并说明原因",
    "要求恢复正常使用",
    "要求赔礼道歉并改进服务",
    "要求减免利息及违约金",
    "要求解释相关规定的依据",
    "要求赔偿由此造成的损失",
)

COMPLAINTS: dict[str, tuple[str, ...]] = {
    "rules": (
        "我的{product}在未收到任何通知的情况下被限制交易,去{branch}办理时又要求补充多项证明材料,前后跑了三趟仍未解决。",
        "办理{product}业务时,工作人员先后给出两种不同的说法,要求提供的材料也不一致,流程太繁琐。",
        "{product}限额突然调低,客服只说是系统规定,没有说明原因,也没有告诉我怎样恢复。",
        "申请办理{product}已经超过承诺时限,每次询问都说在审批中,没有人能说清楚卡在哪个环节。",
        "老人到{branch}办理{product},因证件过期被拒,没有人告知可以上门核实,希望优化规定。",
        "{product}销户必须回开户行办理,我人在外地,这个规定不合理。",
    ),
    "pricing": (
        "{product}扣收了{amount}元费用,开户时没有告知,要求退还。",
        "{product}账单里多出一笔{amount}元的手续费,客服解释前后矛盾。",
        "{product}提前还款被收取{amount}元违约金,合同里写得不清楚。",
    ),
    "facilities": (
        "手机银行办理{product}时反复闪退,一上午都没有办成。",
        "{branch}的自助机吞卡后无人处理,等了两个小时。",
        "系统升级期间{product}交易失败但金额已扣,{amount}元至今没有退回。",
    ),
    "service": (
        "{branch}柜员态度冷淡,询问{product}问题时不耐烦,排队一个半小时只开两个窗口。",
        "客服热线等待超过四十分钟,接通后未解决{product}问题就挂断了电话。",
    ),
    "collection": (
        "{product}逾期后催收人员一天拨打十几次电话,还联系了我的家人和单位。",
        "已与银行协商好{product}分期,第三方催收仍然发短信恐吓。",
    ),
    "disclosure": (
        "购买{product}时没有说明赎回期限和风险等级,现在需要用钱却取不出来。",
        "{product}利率调整没有提前告知,账单上才发现。",
    ),
    "funds": (
        "我的{product}凌晨被盗刷{amount}元,我没有收到任何验证短信。",
        "{product}被人冒用转出{amount}元,挂失时客服处理太慢。",
    ),
    "marketing": (
        "营业员以积分兑换为名推销{product},没有经过我确认就开通了。",
        "反复接到{product}的推销电话,多次明确拒绝仍然打来。",
    ),
    "information": ("刚在{branch}办完{product},就接到外面公司的推销电话,怀疑个人信息被泄露。",),
    "choice": ("办理{product}时被要求必须同时购买保险,否则不予审批。",),
    "yield": ("{product}实际收益与宣传的业绩比较基准相差很大,客户经理当时承诺保本。",),
    "contract": ("{product}合同条款前后表述不一致,签约时没有给我纸质合同。",),
}
"""What the customer says, by the reason of the complaint."""

AUTOMATIC_CHANNELS = frozenset({"web", "online-chat", "mobile-app", "email"})

FIRST_REPLIES = (
    "您好,您反映的问题我们已经收到并登记,专人将在规定时限内与您联系。",
    "已致电客户表示歉意,核实基本情况,告知处理流程和时限。",
    "已与客户取得联系,客户补充了相关材料,承诺尽快核查。",
    "已向客户说明初步情况,客户同意等待核查结果。",
)

CONTACTS = (
    "客户来电询问处理进度,已告知正在核查。",
    "致电客户补充核实交易时间和金额。",
    "客户表示希望加快处理,情绪平稳。",
    "致电客户未接通,已发送短信请其方便时回电。",
)

EVIDENCE: tuple[tuple[str, str], ...] = (
    ("recording", "客服热线通话录音"),
    ("statement", "涉事柜员的书面说明"),
    ("transaction-record", "交易流水及账户变动记录"),
    ("document", "业务申请表及客户签名页"),
    ("screenshot", "客户提供的手机银行界面截图"),
)

FINDINGS = (
    "经核查,相关操作符合现行规定,但事前告知不充分。",
    "经核查,业务流程中存在重复提交材料的环节,属流程设计问题。",
    "经核查,系统在该时段出现故障,影响了客户的交易。",
    "经核查,工作人员解释不准确,未按规定一次性告知。",
    "经核查,未发现违规行为,客户对规则存在误解。",
)

CONCLUSIONS = (
    "事实清楚,责任明确,可以提出处理方案。",
    "核查完毕,建议向客户解释并致歉。",
    "核查完毕,建议退还相关费用并优化流程。",
)

PROPOSALS = (
    "向客户说明情况并致歉,协助其当日恢复账户功能。",
    "退还已收取的费用,并赠送积分以示歉意。",
    "为客户办理分期,减免部分违约金。",
    "由客户经理上门协助补充材料,完成业务办理。",
)

DECLINES = ("客户认为补偿金额不足。", "客户要求书面道歉。", "客户不认可核查结论。")

REASONS_OF_OUTCOME: dict[str, tuple[str, ...]] = {
    "upheld": ("核查属实,我行在告知和流程上存在不足,予以纠正。", "核查属实,相关费用不应收取,予以退还。"),
    "partly-upheld": ("部分属实:规则执行无误,但解释沟通不到位。", "部分属实:系统故障属实,损失金额与客户所述不一致。"),
    "rejected": ("经核查,业务处理符合监管规定及合同约定,已向客户耐心解释。",),
    "settled": ("双方协商一致,按约定方案处理。",),
}

MEASURES = (
    "对相关岗位开展一次性告知培训。",
    "优化业务流程,减少重复提交材料。",
    "排查系统隐患并增加监控。",
    "修订短信通知模板,提前告知客户。",
)

REPLIES = (
    "您反映的问题已核查完毕,处理结果、原因和改进措施已向您说明。如有异议,可向我行消费者权益保护部反映。",
    "尊敬的客户,现将处理结果书面告知您。感谢您的监督,我行将持续改进服务。",
    "已致电客户告知处理结果及救济途径,客户表示知悉。",
)

COMMENTS: dict[str, tuple[str, ...]] = {
    "good": ("处理很快,态度很好。", "解释清楚,满意。", "感谢工作人员耐心处理。"),
    "middling": ("结果可以接受,但时间有点长。", "希望流程再简化一些。"),
    "bad": ("没有真正解决问题。", "一直让我等,不满意。", "答复都是套话。"),
}

REOPENINGS: tuple[tuple[bool, str], ...] = (
    (True, "客户提供了新的交易凭证,要求重新核查。"),
    (True, "承诺退还的费用没有到账,客户再次投诉。"),
    (False, "客户对处理结果不满意,要求重新处理。"),
)

WITHDRAWALS = ("问题已自行解决,客户撤回投诉。", "客户表示误会,申请撤诉。", "客户与网点沟通后撤回投诉。")

RECLASSIFICATIONS = ("核查后发现原因归类有误,予以更正。", "经与业务部门确认,重新分类。")

REASSIGNMENTS = ("该业务归口其他部门,转派处理。", "原经办人与投诉对象存在利害关系,按回避要求改派。")

REGRADES = ("涉及多个部门且金额较大,经主管同意升级。", "客户为特殊群体,经主管同意升级处理。")

CORRECTIONS = ("登记时金额录入错误,经双人复核更正。", "网点选择错误,经双人复核更正。")

ANNULMENTS = ("该条记录误登到本投诉,经双人复核作废。",)
