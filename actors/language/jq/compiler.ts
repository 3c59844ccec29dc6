/**
 * The compiler: syntax tree to closures. This file hands each kind of node to the file that knows it.
 */

import { compileBind, compileVariable } from "./bindings.ts";
import { builtin } from "./builtins.ts";
import { type Code, type Compiler, type Names, one, type Paths } from "./code.ts";
import { compileArray, compileObject, compileText } from "./construction.ts";
import { compileAlternative, compileIf, compileLogic, compileSequence, compileTry } from "./control.ts";
import { compileFold } from "./folds.ts";
import { compileArithmetic, compileComparison, compileNegation } from "./operators.ts";
import { compilePaths } from "./path-expressions.ts";
import { compileIndex, compileIterate, compileSlice } from "./selection.ts";
import { type Node, OutsideSubset } from "./syntax.ts";
import { compileUpdate } from "./updates.ts";

/** A compiled program. */
export interface Program {
  readonly code: Code;
  /** Free variables by slot, without `$`. */
  readonly variables: readonly string[];
}

/**
 * The program of a tree.
 *
 * @throws OutsideSubset it calls what isn't known here.
 */
export function compile(node: Node): Program {
  const compiler = new TreeCompiler();
  const code = compiler.code(node, undefined);
  return { code, variables: compiler.variables };
}

class TreeCompiler implements Compiler {
  readonly variables: string[] = [];

  slot(name: string): number {
    const known = this.variables.indexOf(name);
    return known >= 0 ? known : this.variables.push(name) - 1;
  }

  paths(node: Node, names: Names | undefined): Paths {
    return compilePaths(this, node, names);
  }

  code(node: Node, names: Names | undefined): Code {
    switch (node.kind) {
      case "identity":
        return one((_env, input) => input);
      case "literal":
        return one(() => node.value);
      case "text":
        return compileText(this, node, names);
      case "variable":
        return compileVariable(this, node, names);
      case "index":
        return compileIndex(this, node, names);
      case "slice":
        return compileSlice(this, node, names);
      case "iterate":
        return compileIterate(this, node, names);
      case "array":
        return compileArray(this, node, names);
      case "object":
        return compileObject(this, node, names);
      case "negate":
        return compileNegation(this, node, names);
      case "arithmetic":
        return compileArithmetic(this, node, names);
      case "comparison":
        return compileComparison(this, node, names);
      default:
        return this.#flow(node, names);
    }
  }

  #flow(node: Node, names: Names | undefined): Code {
    switch (node.kind) {
      case "pipe":
      case "comma":
        return compileSequence(this, node, names);
      case "and":
      case "or":
        return compileLogic(this, node, names);
      case "alternative":
        return compileAlternative(this, node, names);
      case "if":
        return compileIf(this, node, names);
      case "try":
        return compileTry(this, node, names);
      case "bind":
        return compileBind(this, node, names);
      case "reduce":
      case "foreach":
        return compileFold(this, node, names);
      case "update":
        return compileUpdate(this, node, names);
      case "call":
        return builtin(node)(this, node, names);
      default:
        throw new OutsideSubset(node.kind);
    }
  }
}
