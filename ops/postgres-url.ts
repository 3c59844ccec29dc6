/**
 * What can be the URL of a PostgreSQL server. Stricter than the driver: a `/`, `?` or `#` that a password holds as it is would end the host's part of the
 * URL, and the rest of the password would be taken for the name of a database, which messages show. Pure.
 */

/** Scheme, user, password and host; database; parameters. What `@` stands behind is a secret, so it stands in the first part only. */
const PARTS = /^postgres(ql)?:\/\/[^/?#]*(\/[^/?#@]*)?(\?[^#@]*)?$/;

/** As a pattern of a setting. Says nothing of the URL itself. */
export const POSTGRES_URL = {
  test: { test: (text: string): boolean => text !== "postgres://" && text !== "postgresql://" && PARTS.test(text) && URL.canParse(text) },
  says: "must be postgres://user:password@host:port/database; write / ? # and % in the password as %2F %3F %23 and %25",
};
