#!/usr/bin/env python3
"""Writes the pages of pages/: layouts of real sites around invented words, each with the main text that a person would take (NAME.txt).

    plugins/filters/extract_html/testdata/make_pages.py

The main text is written down here as the page is, and never by an extractor. Seeded: the same files every time.
"""

import html
import pathlib
import random

FOLDER = pathlib.Path(__file__).resolve().parent / "pages"
DRAW = random.Random(23)
SYLLABLES = ["ba", "den", "ko", "lu", "mer", "nis", "or", "pel", "qua", "ri", "sa", "tor", "ul", "ven", "wy", "xa", "yo", "zet"]
VOCABULARY = ["the", "of", "and", "to", "in", "that", "with", "for"] * 6 + ["".join(DRAW.choices(SYLLABLES, k=DRAW.randrange(1, 4))) for _ in range(400)]


def words(count):
    return " ".join(DRAW.choices(VOCABULARY, k=count))


def sentence():
    parts = [words(DRAW.randrange(3, 9)) for _ in range(DRAW.randrange(1, 4))]
    return ", ".join(parts).capitalize() + "."


def prose(sentences=5):
    return " ".join(sentence() for _ in range(sentences))


def title(count=5):
    return words(count).title()


def links(count, size=2):
    return [f'<a href="/{DRAW.randrange(10**6)}">{title(size)}</a>' for _ in range(count)]


def items(things):
    return "".join(f"<li>{thing}</li>" for thing in things)


def write(name, page, text):
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / f"{name}.html").write_text(page, encoding="utf-8", newline="")
    (FOLDER / f"{name}.txt").write_text("\n".join(text) + "\n", encoding="utf-8", newline="")


def paragraphs(texts):
    return "".join(f"<p>{html.escape(text)}</p>\n" for text in texts)


def news():
    head, text = title(7), [prose() for _ in range(8)]
    caption = sentence()
    page = f"""<!DOCTYPE html><html lang="en-GB"><head><title>{head} | Daily</title><link rel="canonical" href="https://news.example/a/1"><style>p{{color:red}}</style></head><body>
<div id="cookie-consent" class="cookie-banner"><p>{prose(2)}</p><button>Accept</button></div>
<header class="site-header"><nav><ul>{items(links(12, 1))}</ul></nav></header>
<main><article><h1>{head}</h1><p class="byline">By {title(2)}</p>
{paragraphs(text[:4])}<figure><img src="x.jpg" alt="x"><figcaption>{caption}</figcaption></figure>{paragraphs(text[4:])}
<div class="share-buttons"><a href="#">Share</a> <a href="#">Tweet</a></div>
<aside class="related"><h3>More like this</h3><ul>{items(links(6, 6))}</ul></aside></article></main>
<aside class="most-read"><h2>Most read</h2><ol>{items(links(10, 7))}</ol></aside>
<footer><p>{sentence()}</p><ul>{items(links(14))}</ul></footer><script>var x = "<p>no text</p>";</script></body></html>"""
    write("news", page, [head, *text[:4], caption, *text[4:]])


def blog():
    head, text, part = title(5), [prose() for _ in range(5)], title(3)
    page = f"""<!DOCTYPE html><html lang="en"><head><title>{head}</title></head><body class="single has-sidebar">
<div id="page"><div id="header"><h1><a href="/">{title(2)}</a></h1><div class="menu">{"".join(links(8, 1))}</div></div>
<div id="content" class="hfeed"><div class="post"><h2 class="entry-title">{head}</h2><div class="entry-content">{paragraphs(text[:3])}<h3>{part}</h3>{paragraphs(text[3:])}
<div class="sharedaddy sharing">{"".join(links(5, 1))}</div></div></div>
<div id="comments"><h3>3 Comments</h3><ol class="commentlist">{items(f"<div class='comment-body'><cite>{title(1)}</cite> says: <p>{prose(2)}</p><a href='#'>Reply</a></div>" for _ in range(3))}</ol></div></div>
<div id="sidebar"><div class="widget"><h3>Archives</h3><ul>{items(links(24))}</ul></div><div class="widget"><p>{sentence()}</p></div></div>
<div id="footer"><p>{sentence()}</p></div></div></body></html>"""
    write("blog", page, [head, *text[:3], part, *text[3:]])


def tables():
    """As pages were laid out before CSS: no paragraphs, but breaks."""
    head, text = title(4), [prose(4) for _ in range(5)]
    body = "<br><br>\n".join(html.escape(t) for t in text)
    page = f"""<HTML><HEAD><TITLE>{head}</TITLE></HEAD><BODY BGCOLOR=white><TABLE WIDTH="100%"><TR><TD COLSPAN=2 ALIGN=center><A HREF="/"><IMG SRC=logo.gif></A></TD></TR>
<TR><TD WIDTH=150 VALIGN=top><FONT SIZE=2>{"<BR>".join(links(15))}</FONT></TD>
<TD VALIGN=top><FONT SIZE=5><B>{head}</B></FONT><BR><BR>{body}</TD></TR>
<TR><TD COLSPAN=2><HR><CENTER><FONT SIZE=1>{" | ".join(links(6, 1))}</FONT></CENTER></TD></TR></TABLE></BODY></HTML>"""
    write("tables", page, [head, *text])


def documentation():
    head, parts, text, code = title(3), [title(3) for _ in range(3)], [prose(3) for _ in range(6)], "def lu(ba):\n    return ba + 1"
    terms = [(words(2), sentence()) for _ in range(4)]
    page = f"""<!DOCTYPE html><html><head><meta charset="utf-8"><title>{head} — manual</title></head><body>
<div class="related" role="navigation"><h3>Navigation</h3><ul>{items(links(5))}</ul></div>
<div class="document"><div class="documentwrapper"><div class="bodywrapper"><div class="body" role="main"><section id="s"><h1>{head}<a class="headerlink" href="#s">¶</a></h1>
<p>{text[0]}</p><section><h2>{parts[0]}</h2><p>{text[1]}</p><pre>{code}</pre><p>{text[2]}</p></section>
<section><h2>{parts[1]}</h2><dl>{"".join(f"<dt><code>{t}</code></dt><dd>{d}</dd>" for t, d in terms)}</dl><p>{text[3]}</p></section>
<section><h2>{parts[2]}</h2><p>{text[4]}</p><p>{text[5]}</p></section></section></div></div></div>
<div class="sphinxsidebar" role="navigation"><div class="sphinxsidebarwrapper"><h3>Contents</h3><ul>{items(links(9))}</ul><div class="searchbox"><form><input name="q"><input type="submit" value="Go"></form></div></div></div></div>
<div class="footer">{sentence()}</div></body></html>"""
    write("documentation", page, [head, text[0], parts[0], text[1], code, text[2], parts[1], *(x for pair in terms for x in pair), text[3], parts[2], text[4], text[5]])


def wiki():
    head, text, part = title(2), [prose(5) for _ in range(6)], title(2)
    rows = [(title(1), str(DRAW.randrange(10**6))) for _ in range(5)]
    linked = [" ".join(f'<a href="/w/{w}">{w}</a>' if DRAW.random() < 0.15 else html.escape(w) for w in t.split()) for t in text]
    page = f"""<!DOCTYPE html><html class="client-nojs" lang="en" dir="ltr"><head><title>{head} - Wiki</title></head><body>
<div id="mw-page-base" class="noprint"></div><div id="content" class="mw-body" role="main"><h1 id="firstHeading">{head}</h1><div id="bodyContent">
<div id="jump-to-nav"></div><a class="mw-jump-link" href="#n">Jump to navigation</a><div class="mw-parser-output"><p>{linked[0]}</p><p>{linked[1]}</p>
<h2><span class="mw-headline">{part}</span><span class="mw-editsection">[<a href="/edit">edit</a>]</span></h2><p>{linked[2]}</p>
<table class="wikitable"><tr><th>Name</th><th>Number</th></tr>{"".join(f"<tr><td>{a}</td><td>{b}</td></tr>" for a, b in rows)}</table>
<p>{linked[3]}</p><p>{linked[4]}</p><p>{linked[5]}</p><div class="navbox" role="navigation"><table><tr><td>{" · ".join(links(30))}</td></tr></table></div></div>
<div id="catlinks" class="catlinks"><a href="/c">Categories</a>: <ul>{items(links(5))}</ul></div></div></div>
<div id="mw-navigation"><nav class="portal"><h3>Tools</h3><ul>{items(links(18))}</ul></nav></div><footer id="footer"><ul><li>{sentence()}</li></ul></footer></body></html>"""
    write("wiki", page, [head, text[0], text[1], part, text[2], "Name Number", *(f"{a} {b}" for a, b in rows), *text[3:]])


def plain():
    """Nothing but paragraphs that nobody closed."""
    head, text = title(4), [prose(4) for _ in range(6)]
    page = f"<title>{head}</title><h1>{head}</h1>" + "".join(f"<p>{t}\n" for t in text)
    write("plain", page, [head, *text])


def recipe():
    head, lead, steps, things = title(3), prose(3), [sentence() for _ in range(7)], [f"{DRAW.randrange(1, 500)} g {words(2)}" for _ in range(9)]
    page = f"""<!DOCTYPE html><html lang="de"><head><title>{head}</title></head><body><div class="navbar"><ul>{items(links(7, 1))}</ul></div>
<div class="container"><div class="breadcrumbs">{" &gt; ".join(links(3, 1))}</div><div class="recipe-main"><h1>{head}</h1><p>{lead}</p>
<h2>Zutaten</h2><ul>{items(things)}</ul><h2>Zubereitung</h2><ol>{items(steps)}</ol></div>
<div class="ad-slot advertisement"><p>{prose(2)}</p></div><div class="newsletter-signup"><p>{sentence()}</p><form><input name="mail"></form></div></div>
<div class="footer-links"><ul>{items(links(10))}</ul></div></body></html>"""
    write("recipe", page, [head, lead, "Zutaten", *things, "Zubereitung", *steps])


def chinese():
    characters = [chr(DRAW.randrange(0x4E00, 0x9000)) for _ in range(300)]
    def line(size):
        return "，".join("".join(DRAW.choices(characters, k=DRAW.randrange(5, 12))) for _ in range(size)) + "。"
    head, text = "".join(DRAW.choices(characters, k=8)), ["".join(line(4) for _ in range(4)) for _ in range(6)]
    short = ["".join(DRAW.choices(characters, k=4)) for _ in range(20)]
    page = f"""<!DOCTYPE html><html lang="zh-CN"><head><meta charset="utf-8"><title>{head}</title></head><body>
<div class="top-nav">{"".join(f'<a href="/x">{s}</a>' for s in short)}</div><div class="wrap"><div class="left"><h1>{head}</h1><div class="article-content">{paragraphs(text)}</div></div>
<div class="right"><div class="hot"><h3>{short[0]}</h3><ul>{items(f'<a href="/y">{s}{s}</a>' for s in short)}</ul></div></div></div><div class="foot"><a href="/z">{short[1]}</a></div></body></html>"""
    write("chinese", page, [head, *text])


def forum():
    head, posts = title(5), [[prose(3) for _ in range(DRAW.randrange(1, 3))] for _ in range(5)]
    body = "".join(f"""<div class="topic-post"><div class="names"><a href="/u/{i}">{title(1)}</a></div><div class="cooked">{paragraphs(p)}</div></div>""" for i, p in enumerate(posts))
    page = f"""<!DOCTYPE html><html lang="en"><head><title>{head}</title></head><body><header class="d-header"><a href="/">Home</a> <a href="/login" class="login-button">Log in</a></header>
<div id="main-outlet"><h1><a href="/t/1">{head}</a></h1>{body}<div class="suggested-topics"><h3>Suggested topics</h3><table>{"".join(f"<tr><td>{a}</td><td>{DRAW.randrange(99)}</td></tr>" for a in links(6, 6))}</table></div></div>
<footer><nav>{"".join(links(5, 1))}</nav></footer></body></html>"""
    write("forum", page, [head, *(p for post in posts for p in post)])


def misnamed():
    """The text stands in what is called a sidebar, as it does on some sites; and no element says what it is."""
    head, text = title(5), [prose(5) for _ in range(7)]
    page = f"""<!DOCTYPE html><html><head><title>{head}</title></head><body><div class="a1"><span>{" ".join(links(9, 1))}</span></div>
<div class="sidebar widget"><h2>{head}</h2>{"".join(f"<div>{t}</div>" for t in text)}</div><div class="z9">{" ".join(links(20))}</div></body></html>"""
    write("misnamed", page, [head, *text])


def hidden():
    """Things that are there and that nobody sees."""
    head, text = title(5), [prose(5) for _ in range(4)]
    page = f"""<!DOCTYPE html><html xml:lang="fr" lang="fr-CA"><head><title>{head}</title></head><body><main><h1>{head}</h1><p>{text[0]}</p><p hidden>{prose()}</p>
<div style="color:red; display : none">{prose()}</div><p>{text[1]}</p><p aria-hidden="true">{prose()}</p><template><p>{prose()}</p></template><noscript><p>{prose()}</p></noscript>
<p>{text[2]}</p><span class="sr-only">{sentence()}</span><svg><text>{sentence()}</text></svg><p style="VISIBILITY:HIDDEN">{prose()}</p><p>{text[3]}</p>
<select><option>{words(3)}</option></select><textarea>{sentence()}</textarea><dialog><p>{prose()}</p></dialog><!-- {prose()} --></main></body></html>"""
    write("hidden", page, [head, *text])


def list_of_posts():
    """The front page of a blog: several texts of the same weight."""
    posts = [(title(5), prose(4)) for _ in range(6)]
    body = "".join(f"""<div class="post"><h2><a href="/p/{i}">{h}</a></h2><div class="excerpt"><p>{t}</p></div><p class="more"><a href="/p/{i}">Read more</a></p></div>""" for i, (h, t) in enumerate(posts))
    page = f"""<!DOCTYPE html><html lang="en"><head><title>{title(2)}</title></head><body><div class="site-header"><ul class="nav">{items(links(6, 1))}</ul></div><div class="posts">{body}</div>
<div class="pagination"><a href="/2">Older</a></div><div class="site-footer">{sentence()}</div></body></html>"""
    write("list_of_posts", page, [x for post in posts for x in post])


if __name__ == "__main__":
    for make in (news, blog, tables, documentation, wiki, plain, recipe, chinese, forum, misnamed, hidden, list_of_posts):
        make()
