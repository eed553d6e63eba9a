"""Analyses photo.jpg and clip.avi by the HTTP API: python examples/http_client.py KEY"""

import sys
import time

import requests

api, key = "http://127.0.0.1:5000/api/v1", sys.argv[1]
me = requests.Session()
me.headers["Authorization"] = f"Bearer {key}"

with open("photo.jpg", "rb") as image:
    found = me.post(f"{api}/predict", files={"image": image}).json()
print([(face["label"], face["confidence"], face["box_px"]) for face in found["faces"]])

with open("clip.avi", "rb") as video:
    job = me.post(f"{api}/videos", files={"video": video}).json()
while job["state"] in ("queued", "running"):
    time.sleep(0.5)
    job = me.get(f"{api}/videos/{job['id']}").json()
print(me.get(f"{api}/sessions/{job['session']}/summary").json()["shares"])
