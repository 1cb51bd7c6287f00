"""Downloads (§2.4). Each look at a job finds it one step further, so that no test waits for a clock."""

from datetime import UTC, datetime

from tests.lmstudio.models import DoubleModel, Json
from tests.lmstudio.wire import Refused, v1_error

RATE = 104_857_600  # bytes a second, as shown


class Downloads:
    """What can be fetched is in the catalog with `downloaded=False`."""

    def __init__(self, models: list[DoubleModel], looks: int = 3) -> None:
        self.models = models
        self.looks = looks  # until a job is complete
        self.failing: set[str] = set()
        self._jobs: dict[str, Json] = {}

    def start(self, body: Json) -> Json:
        """A new job, or `already_downloaded`."""
        name, quantization = body["model"], body.get("quantization")
        is_link = name.startswith("https://huggingface.co/")
        if quantization and not is_link:
            text = "'quantization' is only supported for Hugging Face links"
            raise Refused(400, v1_error("invalid_request", text, param="quantization"))
        model = self._find(name.removeprefix("https://huggingface.co/"), quantization)
        if model is None:
            raise Refused(404, v1_error("model_not_found", f"Model '{name}' not found", param="model"))
        if model.downloaded:
            return {"status": "already_downloaded"}
        job: Json = {
            "job_id": f"job_{len(self._jobs):010x}",
            "status": "downloading",
            "total_size_bytes": model.size_bytes,
            "started_at": _now(),
        }
        self._jobs[job["job_id"]] = {"answer": job, "model": model, "looks": 0}
        return job

    def status(self, job_id: str) -> Json:
        """One step further."""
        if job_id not in self._jobs:
            raise Refused(404, v1_error("job_not_found", f"Job '{job_id}' not found", param="job_id"))
        job = self._jobs[job_id]
        model, answer = job["model"], dict(job["answer"])
        job["looks"] = min(job["looks"] + 1, self.looks)
        answer["downloaded_bytes"] = model.size_bytes * job["looks"] // self.looks
        if model.key in self.failing:
            answer["status"] = "failed"
        elif job["looks"] == self.looks:
            model.downloaded = True
            answer |= {"status": "completed", "completed_at": _now()}
        else:
            answer |= {"bytes_per_second": RATE, "estimated_completion": _now()}
        return answer

    def _find(self, name: str, quantization: str | None) -> DoubleModel | None:
        """By key, spelt in any case, with the quantization behind an "@" or not."""
        wanted = {name.lower(), f"{name}@{quantization}".lower()}
        for model in self.models:
            fits = quantization is None or quantization.lower() == (model.quantization or "").lower()
            if model.key.lower() in wanted and fits:
                return model
        return None


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
