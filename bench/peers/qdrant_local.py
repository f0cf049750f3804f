"""How is qdrant-client driven without a server? Its local mode, on disk."""

import warnings
from importlib.metadata import version
from pathlib import Path

from qdrant_client import QdrantClient, models

VERSION = version("qdrant-client")
# It advises a server from 20,000 points on; that is what is measured here.
warnings.filterwarnings("ignore", message="Local mode is not recommended")


class Store:
    def __init__(self, directory: Path, dimensions: int, records: int):
        self._client = QdrantClient(path=str(directory))
        size = models.VectorParams(size=dimensions, distance=models.Distance.COSINE)
        self._client.create_collection("memories", vectors_config=size)

    def add(self, ids, vectors, texts, agents):
        points = [
            models.PointStruct(id=i, vector=v.tolist(), payload={"text": t, "agent": a})
            for i, v, t, a in zip(ids, vectors, texts, agents, strict=True)
        ]
        self._client.upsert("memories", points)

    def settle(self):
        """Nothing."""

    def get(self, record_id):
        return self._client.retrieve("memories", [record_id])[0].payload["text"]

    def search(self, vector, k, agent=None):
        wanted = None
        if agent is not None:
            match = models.MatchValue(value=agent)
            wanted = models.Filter(must=[models.FieldCondition(key="agent", match=match)])
        found = self._client.query_points("memories", query=vector, limit=k, query_filter=wanted)
        return [(point.id, point.payload["text"]) for point in found.points]

    def delete(self, ids):
        self._client.delete("memories", points_selector=ids)

    def clean_up(self):
        """There is none."""

    def figures(self):
        return {}

    def close(self):
        self._client.close()
