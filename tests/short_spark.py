"""Settings of Spark for runs of seconds, which are over before compiled code has paid for itself."""

from __future__ import annotations

INTERPRETED = {"spark.sql.codegen.wholeStage": "false", "spark.sql.codegen.factoryMode": "NO_CODEGEN"}
COMPILED = {"spark.sql.codegen.wholeStage": "true", "spark.sql.codegen.factoryMode": "FALLBACK"}  # Spark's own choice
QUICK = "-XX:TieredStopAtLevel=1"  # Java's own compiler likewise
DRIVER = INTERPRETED | {"spark.driver.extraJavaOptions": QUICK}
CLUSTER = DRIVER | {"spark.executor.extraJavaOptions": QUICK, "spark.shuffle.io.retryWait": "500ms"}
