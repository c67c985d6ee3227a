"""Jobs: work that is longer than one transaction. It is decided chunk by chunk through the stage.

`job` has the types, `kinds` describes a kind of job, `chunk` takes one chunk through the stage, `runner` runs the
chunks of all jobs in every worker, and `store` has the SQL.
"""
