"""Many fields in one page: a local server that draws codes as a browser asks for them.

Needs the extra `view` (Starlette and uvicorn). docs/viewer.md says how it is installed and used, and what it refuses.

Inside, downwards: serve (socket, uvicorn), app (routes), guard (which requests are answered at all), work_queue (one
drawing at a time), request_parsing (what a request may ask), catalogue (codes by name: lists, drawings, values),
originals, notes (what the encoder wrote of them), folder (files that may be read), pixels (values to pixels), sampling
(a part of a field at any magnification), cached. static/ is the page: plain HTML, CSS and JavaScript.
"""
