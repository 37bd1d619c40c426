/** A pseudo-random sequence that is equal for equal seeds (mulberry32), so that a run can be repeated. */
export interface Random {
  /** From 0 inclusive to 1 exclusive. */
  next(): number
  between(least: number, most: number): number
  pick<T>(from: readonly T[]): T | undefined
}

export function createRandom(seed: number): Random {
  let state = seed >>> 0
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  return {
    next,
    between: (least, most) => least + (most - least) * next(),
    pick: (from) => from[Math.floor(next() * from.length)],
  }
}
