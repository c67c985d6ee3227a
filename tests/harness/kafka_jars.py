"""The jars of Apache Kafka from Maven Central, downloaded once for each version into a cache below the repository.

The cache is filled under a file lock, and each download is renamed into place when it is complete. Two test runs at
the same time share one download, and an interrupted download leaves nothing behind.
"""

import fcntl
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from harness.broker import KafkaUnavailableError

VERSION: Final = "4.3.1"
CACHE: Final = Path(__file__).resolve().parents[2] / ".cache" / "kafka"
_DOWNLOAD_SECONDS: Final = 600
_LEAST_JAVA: Final = 17
_POM: Final = f"""\
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>didflow.tests</groupId><artifactId>kafka</artifactId><version>1</version><packaging>pom</packaging>
  <dependencies>
    <dependency>
      <groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>{VERSION}</version>
    </dependency>
  </dependencies>
</project>
"""


def kafka_jars() -> Path:
    """Return the folder of Kafka's jars. The first call downloads them (44 MB). Raises KafkaUnavailableError."""
    _require_java()
    jars = CACHE / VERSION / "jars"
    with _locked():
        if not jars.is_dir():
            _download(jars)
    return jars


def formatted_storage(jars: Path, properties: str) -> Path:
    """Return an empty log folder that was formatted by Kafka's own tool.

    It is made once. To copy it is faster than to start a JVM for the tool. `properties` is the configuration of a
    server, with `{log}` in place of its log folder. Raises KafkaUnavailableError.
    """
    storage = jars.with_name("formatted")
    with _locked():
        if not storage.is_dir():
            draft = Path(tempfile.mkdtemp(dir=CACHE))
            config = draft / "server.properties"
            config.write_text(properties.format(log=draft / "log"))
            tool = ["java", "-cp", f"{jars}/*", "kafka.tools.StorageTool", "format"]
            _run([*tool, "--cluster-id", "ZGlkZmxvdy10ZXN0cy0wMA", "--config", str(config)], 60)
            (draft / "log").rename(storage)
            shutil.rmtree(draft)
    return storage


@contextmanager
def _locked() -> Iterator[None]:
    try:
        CACHE.mkdir(parents=True, exist_ok=True)
        lock = (CACHE / "lock").open("ab")
    except OSError as error:
        raise KafkaUnavailableError(f"The cache of Kafka's jars cannot be used: {error}") from error
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _download(jars: Path) -> None:
    draft = Path(tempfile.mkdtemp(dir=CACHE))
    (draft / "pom.xml").write_text(_POM)
    goal = ["dependency:copy-dependencies", "-DincludeScope=runtime", f"-DoutputDirectory={draft / 'jars'}"]
    _run(["mvn", "-q", "-B", "-f", str(draft / "pom.xml"), *goal], _DOWNLOAD_SECONDS)
    jars.parent.mkdir(exist_ok=True)
    (draft / "jars").rename(jars)
    shutil.rmtree(draft)


def _require_java() -> None:
    version = _run(["java", "-version"], 20).split('"')[1]
    if int(version.split(".")[0]) < _LEAST_JAVA:
        raise KafkaUnavailableError(f"Java {version} is too old. Kafka needs Java {_LEAST_JAVA} or later.")


def _run(command: Sequence[str], seconds: float) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=seconds, check=False)
    except FileNotFoundError:
        raise KafkaUnavailableError(f"The program {command[0]} is not installed.") from None
    except subprocess.TimeoutExpired:
        raise KafkaUnavailableError(f"The program {command[0]} took more than {seconds:g} s.") from None
    if done.returncode:
        raise KafkaUnavailableError(f"{command[0]}: {(done.stdout + done.stderr).strip()[-500:]}")
    return done.stdout + done.stderr
