/** One container through one scenario, and what can be said of it when it is gone, once the stream has been read. */
import {parseLedgerEvent} from '../../machines/cloud-event.ts'
import type {LedgerEvent} from '../../machines/events.ts'
import type {ProcessExit} from '../../machines/process-exit.ts'
import {createActor, type Seen} from './actor.ts'
import type {ChaosNode} from './chaos-node.ts'
import {checkEvents} from './check-events.ts'
import {checkLines} from './check-lines.ts'
import {execExit, type Pace, type Scenario} from './scenarios.ts'
import {addTallies, emptyTally, type Tally} from './tally.ts'

export interface Run {
  readonly id: string
  readonly what: string
  readonly scenario: Scenario
  readonly pace: Pace
  readonly seen: Seen
  /** Why it did not get to its end. */
  readonly stuck: string | undefined
  readonly tookMs: number
}

export interface RunOptions {
  readonly node: ChaosNode
  readonly id: string
  /** What is done to it, for the findings. */
  readonly what: string
  readonly scenario: Scenario
  readonly pace: Pace
  /** Another runtime than runc. */
  readonly runtime?: string | undefined
  /** Before anything is asked of it. */
  readonly before?: () => Promise<void>
  readonly patienceMs?: number
}

export async function runContainer({node, id, what, scenario, pace, runtime, before, patienceMs = 60_000}: RunOptions): Promise<Run> {
  const request = {...scenario.request(pace), rootfs: node.rootfs, ...(runtime !== undefined && {runtime: {binary: runtime}})}
  const wholeBytes = toText(scenario.lines(pace) ?? 0).length
  const {actor, seen} = createActor({node, id, request, wholeBytes, patienceMs})
  const begun = Date.now()
  const toRun = (stuck?: string): Run => ({id, what, scenario, pace, seen, stuck, tookMs: Date.now() - begun})
  try {
    await before?.()
    await actor.create()
    await scenario.live(actor, pace)
    return toRun()
  } catch (error) {
    const cause = error instanceof Error && error.cause !== undefined ? ` (${String(error.cause)})` : ''
    return toRun(`${error instanceof Error ? error.message : String(error)}${cause}`)
  }
}

/**
 * @param events of all containers, in the order of the stream
 * @param isExcused whether nobody of ours was there to see how a container ended
 */
export function judge(run: Run, events: readonly LedgerEvent[], isExcused: (exited: LedgerEvent) => boolean = () => false): Tally {
  const {id, what, scenario, pace, seen, stuck} = run
  const about = (text: string) => `${id} (${scenario.name}, ${what}): ${text}`
  if (stuck !== undefined) return addTallies(emptyTally, {containers: 1, stuck: 1, findings: [about(stuck)]})
  const own = events.filter(({source}) => source.endsWith(`/${id}`))
  const uids = [...new Set(own.map(({uid}) => uid))]
  const journal = seen.journal.map(parseLedgerEvent)
  const stories = uids.map((uid) => own.filter((event) => event.uid === uid))
  const ofEvents = stories.map((story) => {
    const faults = checkEvents(
      story,
      journal.filter(({uid}) => uid === story[0]?.uid),
    )
    return {
      events: story.length,
      eventsMissing: faults.missing.length,
      eventsDoubled: faults.doubled.length,
      eventsOutOfOrder: faults.outOfOrder.length,
      findings: [
        ...faults.missing.map((fault) => about(`missing ${fault}`)),
        ...faults.doubled.map((fault) => about(`doubled ${fault}`)),
        ...faults.outOfOrder.map((fault) => about(`out of order: ${fault}`)),
      ],
    }
  })
  const last = stories.at(-1) ?? []
  const exits = [...last.filter(({type}) => type === 'container.exited'), ...last.filter(({type}) => type === 'exec.exited')].map((event) =>
    judgeExit(event, scenario, isExcused, about),
  )
  const noExit =
    scenario.exit && !last.some(({type}) => type === 'container.exited') ? [{eventsMissing: 1, findings: [about('no exit')]}] : []
  const lines = scenario.lines(pace)
  const execs = last.flatMap((event) => (event.type === 'exec.exited' ? [event.data.exec] : []))
  const written = [
    ...(lines === undefined ? [] : [{name: 'init', text: seen.written, count: lines}]),
    ...execs.map((exec) => ({name: exec, text: seen.execs.get(exec), count: pace.lines})),
  ].flatMap(({name, text, count}) =>
    (['stdout', 'stderr'] as const).map((stream) => {
      const {lost, doubled} = checkLines(text?.[stream] ?? '', count)
      const findings = lost + doubled > 0 ? [about(`${stream} of ${name}: ${lost} lines lost, ${doubled} doubled`)] : []
      return {lines: count, linesLost: lost, linesDoubled: doubled, findings}
    }),
  )
  return [...ofEvents, ...exits, ...noExit, ...written].reduce(addTallies, {...emptyTally, containers: 1, execs: execs.length})
}

function judgeExit(
  event: LedgerEvent,
  scenario: Scenario,
  isExcused: (exited: LedgerEvent) => boolean,
  about: (text: string) => string,
): Partial<Tally> {
  if (event.type !== 'container.exited' && event.type !== 'exec.exited') return {}
  const expected = event.type === 'exec.exited' ? execExit : scenario.exit
  const {exit} = event.data
  if (exit.type === 'lost')
    return isExcused(event) ? {exitsLostWithBoth: 1} : {exitsLost: 1, findings: [about(`${event.type} lost: ${exit.reason}`)]}
  if (expected && isSame(exit, expected)) return {exitsRight: 1}
  return {exitsWrong: 1, findings: [about(`${event.type} ${JSON.stringify(exit)} instead of ${JSON.stringify(expected)}`)]}
}

function isSame(a: ProcessExit, b: ProcessExit): boolean {
  return JSON.stringify(a) === JSON.stringify(b)
}

function toText(count: number): string {
  return Array.from({length: count}, (_, index) => `line ${index + 1}\n`).join('')
}
