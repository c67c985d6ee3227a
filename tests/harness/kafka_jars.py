"""Apache Kafka as jars from Maven Central, downloaded once per version into a cache under the repository.

The cache is filled under a lock and by renames: two test runs at once share one download, and it is whole or absent.
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
    """Return the folder of Kafka's jars, downloading them (44 MB) at first. Raises KafkaUnavailableError."""
    _require_java()
    jars = CACHE / VERSION / "jars"
    with _locked():
        if not jars.is_dir():
            _download(jars)
    return jars


def formatted_storage(jars: Path, properties: str) -> Path:
    """Return an empty log folder as Kafka's own tool formats it, made once: copying it saves a JVM start.

    `properties` is a server's configuration with `{log}` for its log folder. Raises KafkaUnavailableError.
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
        raise KafkaUnavailableError(f"no cache for Kafka's jars: {error}") from error
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
        raise KafkaUnavailableError(f"Java {version} is older than {_LEAST_JAVA}")


def _run(command: Sequence[str], seconds: float) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=seconds, check=False)
    except FileNotFoundError:
        raise KafkaUnavailableError(f"no {command[0]} on this machine") from None
    except subprocess.TimeoutExpired:
        raise KafkaUnavailableError(f"{command[0]} took more than {seconds:g} s") from None
    if done.returncode:
        raise KafkaUnavailableError(f"{command[0]}: {(done.stdout + done.stderr).strip()[-500:]}")
    return done.stdout + done.stderr
