import assert from "node:assert/strict";
import { PgDatabase } from "../../runtime/storage/pg-database.ts";
import { freshDatabase } from "../support/pg-fixture.ts";

describe("a pool of connections", function () {
  this.timeout(60_000);
  let database: PgDatabase;

  before(async () => {
    database = new PgDatabase({ url: await freshDatabase(), applicationName: "test", size: 1 });
  });
  after(() => database.close());

  const told: Readonly<Record<string, string>> = {
    "53100": "DATABASE_FAILING",
    "53200": "DATABASE_FAILING",
    "57014": "DATABASE_FAILING",
    "53300": "DATABASE_UNAVAILABLE",
    "57P03": "DATABASE_UNAVAILABLE",
    "08006": "DATABASE_UNAVAILABLE",
    "22012": "22012",
  };
  for (const [state, code] of Object.entries(told)) {
    it(`says that the server can't be reached only if it can't: SQLSTATE ${state} is ${code}`, async () => {
      const raise = `DO $$ BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = '${state}'; END $$`;
      await assert.rejects(database.query(raise), { code, message: /could not extend file/ });
    });
  }
});
