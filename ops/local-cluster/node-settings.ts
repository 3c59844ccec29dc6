/**
 * A configuration as the variables that spell it, for a node in a process of its own. Variables because a command line can be read by everybody on the machine.
 */
import { isDeepStrictEqual } from "node:util";
import type { Config } from "../config.ts";
import { SETTINGS, type SettingName } from "../settings.ts";

/** The environment of this process, with these settings instead of its own ones. */
export function environmentOf(config: Partial<Config>, env: Readonly<Record<string, string | undefined>>): Record<string, string | undefined> {
  const others = Object.entries(env).filter(([name]) => !name.startsWith("MAESTRO_"));
  const settings = (Object.keys(SETTINGS) as SettingName[]).flatMap((name) => {
    const value = config[name];
    // A default needs no words, and some have none: a list that is empty can't be written.
    return value === undefined || isDeepStrictEqual(value, SETTINGS[name].fallback) ? [] : [[SETTINGS[name].env, String(value)] as const];
  });
  return Object.fromEntries([...others, ...settings]);
}
