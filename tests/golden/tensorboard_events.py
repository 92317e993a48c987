"""Writes data/events.tfevents with the Python package `tensorboard`, an independent program.

    pip install tensorboard==2.21.0 && python tests/golden/tensorboard_events.py
"""

import pathlib

from tensorboard.compat.proto import event_pb2, summary_pb2
from tensorboard.summary.writer.record_writer import RecordWriter

values = [
    [("reward", 0.5), ("kl/k1", -1e-3)],
    [("reward", 0.1), ("a name with \u00fc", float("inf")), ("nothing", float("nan"))],
]
events = [event_pb2.Event(wall_time=1700000000.25, file_version="brain.Event:2")]
for step, scalars in zip([1, 300], values):
    summary = summary_pb2.Summary(
        value=[summary_pb2.Summary.Value(tag=tag, simple_value=value) for tag, value in scalars])
    events.append(event_pb2.Event(wall_time=1700000000.25 + step, step=step, summary=summary))
with open(pathlib.Path(__file__).parent / "data" / "events.tfevents", "wb") as file:
    writer = RecordWriter(file)
    for event in events:
        writer.write(event.SerializeToString(deterministic=True))
    writer.flush()
