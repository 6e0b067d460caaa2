"""From judging to improving: indicators and warnings, surveys, reviews, risks, corrective actions; pure."""
