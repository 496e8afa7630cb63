/** A module of Node's own; undefined in browsers, where bundlers must not look for it either. */
export function builtin(name: `node:${string}`): unknown {
  const { process } = globalThis as {
    process?: { getBuiltinModule?: (name: string) => unknown };
  };
  return process?.getBuiltinModule?.(name);
}
