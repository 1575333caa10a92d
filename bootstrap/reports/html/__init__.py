"""What `verify` and `drift` found as one page of HTML, which needs nothing but a browser.

There is no script in it, and nothing is loaded: it can be kept as an artifact, sent by mail, and
read without a network. It is put together of elements and not of a template, so that the
serialiser escapes every text, and the type checker reads the page with us.
"""
