"""The first page of the service: what there is to open, for a person with a browser; no data of the book."""

from html import escape

QUESTIONS = (
    ("/sla", "SLA report: first replies and resolutions, met, missed and running 时效报告"),
    ("/worklist", "What is open, for whom, due when, soonest first 待办清单"),
    ("/regimes", "The regimes of the book, and from when each applies 时限制度"),
    ("/calendars", "The calendars of the book, and how far they are announced 工作日历"),
    ("/book", "The book: its origin, size and root 账簿"),
    ("/checkpoint", "The newest checkpoint: size and root, signed 检查点"),
    ("/keys", "The verifier keys that the book names 验证公钥"),
    ("/projections", "How far each projection has come 投影"),
    ("/problems", "Every problem that can be answered, and what to do 问题类型"),
    ("/openapi.json", "The description of every address, for programs 接口说明"),
)


def html(title: str, body: str) -> str:
    """A page without scripts, styles from elsewhere, or anything that loads from another place."""
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>{escape(title)}</title><style>body{{font:16px/1.5 system-ui;max-width:60rem;margin:2rem auto;padding:0 1rem}}"
        "td,th{text-align:left;padding:.2rem .8rem .2rem 0;vertical-align:top}</style>"
        f"<h1>{escape(title)}</h1>{body}</html>"
    )


def first_page(book: str) -> str:
    """The addresses to open."""
    rows = "".join(f'<tr><td><a href="{path}">{path}</a></td><td>{escape(says)}</td></tr>' for path, says in QUESTIONS)
    says = "<p>All but the last two demand a token: <code>Authorization: Bearer …</code>. 除最后两项外均需令牌。</p>"
    return html(f"Complaint ledger, book {book}", f"<table>{rows}</table>{says}")
