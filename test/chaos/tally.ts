/** The counted results of a chaos run. */

export interface Tally {
  readonly faults: Readonly<Record<string, number>>
  readonly containers: number
  readonly execs: number
  readonly exitsRight: number
  /** Lost although shim or coordinator was running. */
  readonly exitsLost: number
  /** Lost while shim and coordinator were both dead. */
  readonly exitsLostWithBoth: number
  readonly exitsWrong: number
  readonly events: number
  readonly eventsMissing: number
  readonly eventsDoubled: number
  readonly eventsOutOfOrder: number
  readonly lines: number
  readonly linesLost: number
  /** Lost in a pipe that no process kept open, while shim and coordinator were both dead. */
  readonly linesLostWithBoth: number
  readonly linesDoubled: number
  /** Containers on which a command had no effect within the patience. */
  readonly stuck: number
  readonly leftovers: number
  /** Descriptions of the faults, one line each. */
  readonly findings: readonly string[]
}

export const emptyTally: Tally = {
  faults: {},
  containers: 0,
  execs: 0,
  exitsRight: 0,
  exitsLost: 0,
  exitsLostWithBoth: 0,
  exitsWrong: 0,
  events: 0,
  eventsMissing: 0,
  eventsDoubled: 0,
  eventsOutOfOrder: 0,
  lines: 0,
  linesLost: 0,
  linesLostWithBoth: 0,
  linesDoubled: 0,
  stuck: 0,
  leftovers: 0,
  findings: [],
}

export function addTallies(a: Tally, b: Partial<Tally>): Tally {
  const other = {...emptyTally, ...b}
  return {
    faults: Object.fromEntries(
      [...new Set([...Object.keys(a.faults), ...Object.keys(other.faults)])].map((kind) => [
        kind,
        (a.faults[kind] ?? 0) + (other.faults[kind] ?? 0),
      ]),
    ),
    containers: a.containers + other.containers,
    execs: a.execs + other.execs,
    exitsRight: a.exitsRight + other.exitsRight,
    exitsLost: a.exitsLost + other.exitsLost,
    exitsLostWithBoth: a.exitsLostWithBoth + other.exitsLostWithBoth,
    exitsWrong: a.exitsWrong + other.exitsWrong,
    events: a.events + other.events,
    eventsMissing: a.eventsMissing + other.eventsMissing,
    eventsDoubled: a.eventsDoubled + other.eventsDoubled,
    eventsOutOfOrder: a.eventsOutOfOrder + other.eventsOutOfOrder,
    lines: a.lines + other.lines,
    linesLost: a.linesLost + other.linesLost,
    linesLostWithBoth: a.linesLostWithBoth + other.linesLostWithBoth,
    linesDoubled: a.linesDoubled + other.linesDoubled,
    stuck: a.stuck + other.stuck,
    leftovers: a.leftovers + other.leftovers,
    findings: [...a.findings, ...other.findings],
  }
}

/** The sum of the counts that must be zero. */
export function countFaults(tally: Tally): number {
  const {exitsLost, exitsWrong, eventsMissing, eventsDoubled, eventsOutOfOrder, linesLost, linesDoubled, stuck, leftovers} = tally
  return exitsLost + exitsWrong + eventsMissing + eventsDoubled + eventsOutOfOrder + linesLost + linesDoubled + stuck + leftovers
}

export function countInjected({faults}: Tally): number {
  return Object.values(faults).reduce((sum, count) => sum + count, 0)
}

/** A table in Markdown, for docs/chaos.md. */
export function toTable(tally: Tally): string {
  const kinds = Object.entries(tally.faults).map(([kind, count]) => `${kind} ${count}`)
  const rows = [
    ['faults injected', `${countInjected(tally)} (${kinds.join(', ')})`],
    ['containers, and processes added to them', `${tally.containers}, ${tally.execs}`],
    ['exits right', tally.exitsRight],
    ['exits lost', tally.exitsLost],
    ['exits lost, shim and coordinator being dead together', tally.exitsLostWithBoth],
    ['exits wrong', tally.exitsWrong],
    ['events', tally.events],
    ['events missing', tally.eventsMissing],
    ['events doubled', tally.eventsDoubled],
    ['events out of order', tally.eventsOutOfOrder],
    ['lines', tally.lines],
    ['lines lost', tally.linesLost],
    ['lines lost, shim and coordinator being dead together', tally.linesLostWithBoth],
    ['lines doubled', tally.linesDoubled],
    ['stuck', tally.stuck],
    ['leftovers', tally.leftovers],
  ]
  return ['| what | how many |', '|---|---|', ...rows.map(([name, value]) => `| ${name} | ${value} |`), ''].join('\n')
}
