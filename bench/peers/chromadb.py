"""How is Chroma driven? Embedded and persistent, default HNSW index."""

import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import chromadb
from chromadb.config import Settings

VERSION = version("chromadb")


class Store:
    def __init__(self, directory: Path, dimensions: int, records: int):
        self._directory = directory
        settings = Settings(anonymized_telemetry=False)
        self._client = chromadb.PersistentClient(str(directory), settings)
        self._all = self._client.get_or_create_collection(
            "memories", metadata={"hnsw:space": "cosine"}, embedding_function=None
        )

    def add(self, ids, vectors, texts, agents):
        self._all.add(
            ids=[str(i) for i in ids],
            embeddings=vectors,
            documents=texts,
            metadatas=[{"agent": a} for a in agents],
        )

    def settle(self):
        """Nothing."""

    def get(self, record_id):
        return self._all.get(ids=[str(record_id)])["documents"][0]

    def search(self, vector, k, agent=None):
        where = None if agent is None else {"agent": agent}
        found = self._all.query(query_embeddings=[vector], n_results=k, where=where)
        return list(zip(map(int, found["ids"][0]), found["documents"][0], strict=True))

    def delete(self, ids):
        self._all.delete(ids=[str(i) for i in ids])

    def clean_up(self):
        """Its documented clean-up, a command that wants the store for itself."""
        chroma = Path(sys.executable).with_name("chroma")
        command = [chroma, "vacuum", "--path", self._directory, "--force"]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)

    def figures(self):
        return {}

    def close(self):
        self._client.clear_system_cache()
