/** Notices when a prototype that everything inherits from was changed. */
import assert from "node:assert/strict";

const PROTOTYPES = { Object: Object.prototype, Array: Array.prototype, String: String.prototype, Function: Function.prototype };

/** Remembers the prototypes as they are when it is made. */
export class PrototypeGuard {
  readonly #before = describePrototypes();

  /** Throws if a prototype is another one than before. */
  check(): void {
    for (const [name, now] of Object.entries(describePrototypes())) {
      if (this.#before[name] !== now) assert.fail(`${name}.prototype was changed to ${now}`);
    }
  }
}

function describePrototypes(): Record<string, string> {
  return Object.fromEntries(Object.entries(PROTOTYPES).map(([name, prototype]) => [name, Reflect.ownKeys(prototype).map(String).join()]));
}
