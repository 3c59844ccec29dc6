/**
 * The configuration of a node: made once from flags, environment and defaults (in this order of precedence), checked as a whole, frozen.
 * All faults are reported together, and a variable that no setting has is refused rather than ignored: a misspelt setting must not
 * silently mean its default.
 */
import { MaestroError, type Violation } from "../runtime/errors.ts";
import { closestName } from "./closest-name.ts";
import { CLIENT_VARIABLES, SETTINGS, type Setting, type SettingName } from "./settings.ts";

/** A node's configuration. The fields are those of `settings.ts`. */
export type Config = { readonly [N in SettingName]: (typeof SETTINGS)[N]["fallback"] };

/** Where settings come from. */
export interface ConfigSources {
  /** Variables; only those that begin with `MAESTRO_` are looked at. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Texts from the command line, by name of the setting. */
  readonly flags?: Readonly<Partial<Record<SettingName, string>>>;
  /** What a command has as defaults instead of those in the table. */
  readonly defaults?: Partial<Config>;
  /** It is for `maestro dev`, whose nodes leave nothing to others. Default false. */
  readonly isDevelopment?: boolean;
}

const NAMES = Object.keys(SETTINGS) as SettingName[];
const TRUE = new Set(["true", "1", "yes", "on"]);
const FALSE = new Set(["false", "0", "no", "off"]);

/**
 * The configuration that the sources spell.
 *
 * @throws CONFIG_INVALID with a violation for every fault.
 */
export function loadConfig(sources: ConfigSources): Config {
  const violations = unknownVariables(sources.env);
  const values: Partial<Record<SettingName, unknown>> = {};
  for (const name of NAMES) {
    const setting: Setting = SETTINGS[name];
    const flag = sources.flags?.[name];
    const text = flag ?? variableOf(sources.env, setting.env);
    if (text === undefined) {
      values[name] = sources.defaults !== undefined && name in sources.defaults ? sources.defaults[name] : setting.fallback;
      continue;
    }
    const read = readSetting(setting, text);
    if ("fault" in read) violations.push({ field: flag === undefined ? setting.env : setting.flag, description: read.fault });
    else values[name] = read.value;
  }
  violations.push(...leavingWork(values as Partial<Config>, sources), ...samePort(values as Partial<Config>, sources));
  if (violations.length > 0) {
    const [first] = violations.map((violation) => `${violation.field} ${violation.description}`);
    const problems = `${first}${violations.length > 1 ? ` (and ${violations.length - 1} more)` : ""}`;
    throw new MaestroError("CONFIG_INVALID", { facts: { problems }, violations });
  }
  return Object.freeze(values as Config);
}

/** The configuration for people and logs: a secret shows only whether it is set. */
export function printableConfig(config: Config): Record<string, string | number | boolean> {
  const shown: Record<string, string | number | boolean> = {};
  for (const name of NAMES) {
    const value = config[name];
    const setting: Setting = SETTINGS[name];
    if (value === undefined) shown[name] = "(not set)";
    else if (setting.secret === true) shown[name] = "(secret)";
    else shown[name] = typeof value === "object" ? value.join(",") || "(all)" : value;
  }
  return shown;
}

/** What a node can leave to others only if it can reach them, and a node for trying things out not even then: whoever tries things has no others. */
function leavingWork({ natsUrl, roles, queues }: Partial<Config>, { isDevelopment, flags }: ConfigSources): Violation[] {
  // What could not be read is told of already.
  const left = [
    ...((roles?.length ?? Number.POSITIVE_INFINITY) < SETTINGS.roles.fallback.length ? (["roles"] as const) : []),
    ...((queues?.length ?? 0) > 0 ? (["queues"] as const) : []),
  ];
  if (isDevelopment === true) return left.map((name) => ({ field: fieldOf(name, flags), description: NOT_IN_DEVELOPMENT }));
  if (natsUrl !== undefined) return [];
  const description = "needs a NATS server (MAESTRO_NATS_URL): without one the node is alone, and has everything to do itself";
  return left.map((name) => ({ field: fieldOf(name, flags), description }));
}

/** Two servers can't listen on one port; 0 is a free one for each. On two addresses they can. */
function samePort({ grpcPort, opsPort, grpcHost, opsHost }: Partial<Config>, { flags }: ConfigSources): Violation[] {
  if (opsPort === undefined || opsPort === 0 || opsPort !== grpcPort || opsHost !== grpcHost) return [];
  return [{ field: fieldOf("opsPort", flags), description: `must be another port than ${fieldOf("grpcPort", flags)} (${grpcPort})` }];
}

/** What a setting is called where it was set. */
function fieldOf(name: SettingName, flags: ConfigSources["flags"]): string {
  return flags?.[name] === undefined ? SETTINGS[name].env : SETTINGS[name].flag;
}

const NOT_IN_DEVELOPMENT =
  "must be left out of `maestro dev`, whose nodes take calls, have runs and execute the tasks of all queues; `maestro start` runs a node that does only a part of that";

function readSetting(setting: Setting, text: string): { readonly value: string | number | boolean | readonly string[] } | { readonly fault: string } {
  const got = setting.secret === true ? "" : `, not "${text}"`;
  switch (setting.kind) {
    case "text":
      if (text.trim() === "") return { fault: "must not be empty; leave it out for its default" };
      return setting.pattern === undefined || setting.pattern.test.test(text) ? { value: text } : { fault: `${setting.pattern.says}${got}` };
    case "integer": {
      const value = /^-?\d+$/.test(text) ? Number(text) : Number.NaN;
      const isInside = value >= setting.least && value <= setting.most;
      return isInside ? { value } : { fault: `must be a whole number from ${setting.least} to ${setting.most}${got}` };
    }
    case "boolean":
      if (TRUE.has(text.toLowerCase())) return { value: true };
      return FALSE.has(text.toLowerCase()) ? { value: false } : { fault: `must be true or false${got}` };
    case "choice":
      return setting.choices.includes(text) ? { value: text } : { fault: `must be one of ${setting.choices.join(", ")}${got}` };
    case "list": {
      const words = text.split(",").map((word) => word.trim());
      if (text.trim() === "") return { fault: "must not be empty; leave it out for its default" };
      const [wrong] = words.filter((word) => setting.fault(word) !== undefined);
      if (wrong !== undefined) return { fault: `has "${wrong}", which ${setting.fault(wrong)}` };
      return new Set(words).size === words.length ? { value: words } : { fault: `names something twice${got}` };
    }
  }
}

function variableOf(env: ConfigSources["env"], name: string): string | undefined {
  const text = env[name];
  return text === undefined || isServiceLink(name, text) ? undefined : text;
}

/**
 * Kubernetes tells every container of the services in its namespace, in variables that begin with the service's name: beside a service
 * called `maestro` they look like ours. Nobody set them for this program, so they neither count nor are they misspellings.
 */
function isServiceLink(name: string, value: string): boolean {
  return /_SERVICE_(HOST|PORT)(_[A-Z0-9_]+)?$|_PORT_\d+_(TCP|UDP|SCTP)(_[A-Z]+)?$/.test(name) || /^(tcp|udp|sctp):\/\//.test(value);
}

function unknownVariables(env: ConfigSources["env"]): Violation[] {
  const known = [...NAMES.map((name) => SETTINGS[name].env as string), ...CLIENT_VARIABLES];
  return Object.keys(env)
    .filter((name) => name.startsWith("MAESTRO_") && !known.includes(name) && !isServiceLink(name, env[name] ?? ""))
    .map((name) => {
      const guess = closestName(name, known);
      return { field: name, description: guess === undefined ? "is not a setting" : `is not a setting; did you mean ${guess}?` };
    });
}
