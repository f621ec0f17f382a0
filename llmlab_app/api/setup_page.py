"""What a browser sees whose set-up link doesn't work: plain HTML, nothing to load or to trust."""

USED_LINK_PAGE = """<!doctype html>
<html lang="en-GB"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>This link doesn't work any more · LLMLab</title>
<style>
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 34rem; margin: 15vh auto; padding: 0 1.25rem; }
h1 { font-size: 1.5rem; line-height: 1.3; }
code { font-family: ui-monospace, monospace; font-size: 1.05em; }
</style></head>
<body><main>
<h1>This link doesn't work any more</h1>
<p>A set-up link signs one browser in, once, within an hour. This one was used already, has
expired or is incomplete.</p>
<p>For a new one, run this on the machine that LLMLab runs on:</p>
<p><code>llmlab open</code></p>
<p>Signed in already? <a href="/">Go to the dashboard</a>.</p>
</main></body></html>
"""
