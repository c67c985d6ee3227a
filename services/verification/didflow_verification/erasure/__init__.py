"""The job that erases a person from the whole database: details, documents, and copies in messages and texts.

Its steps, in this order:

1. `identity`: the stage hides the identity with its addresses and documents. It is refused `in_use` while a live DID
   uses them. The job then ends, and nothing was erased. From here on nobody is shown the details, assigns or changes
   them.
2. `texts`: the texts of reviewers about the person are replaced by those of their codes, through the stage.
3. `idempotency`, `dead_letters`, `parked`, `outbox`: each message that the service keeps is read, and the person's data
   in it is masked with `*`. A message that has changed since it was read stays as it is.
4. Steps 2 and 3 again, for what has changed or moved to another table meanwhile.
5. `details`: the stage removes the values of the details.
6. `contents`: the contents of the documents are deleted.

The values that step 3 searches for are read from the details, which keep them until step 5. So a job that is killed at
any instant goes on with them, and neither its parameters, its position nor its results have personal data. A job that
is canceled, or that ends because a step was refused, leaves the details hidden with their values. A new job goes on.
Ids stay everywhere, because they identify nobody.
"""
