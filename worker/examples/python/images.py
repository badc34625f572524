"""Jobs of the queue `images`: {"file": "…", "width": n}."""

import os
import sys

# Beside the sources, and where `cmake --install` puts it (share/bulwark/python).
for place in "../../../../bulwark/python", "../../shims/python":
    sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), place))

import bulwark_processor  # noqa: E402  (found by the lines above)
from bulwark_processor import DelayedError, UnrecoverableError  # noqa: E402


def process(job):
    if not isinstance(job.data.get("width"), int):
        raise UnrecoverableError("width: must be a number")
    if job.data.get("busy"):  # try again in a while, without counting an attempt
        job.update_data({**job.data, "busy": False})
        raise DelayedError(delay_ms=100)
    job.update_progress(50)
    job.log(f"resizing {job.data['file']}")
    print("this goes to the worker's log")
    return {"file": job.data["file"], "width": job.data["width"]}


if __name__ == "__main__":
    bulwark_processor.run(process)
