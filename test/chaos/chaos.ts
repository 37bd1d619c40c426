/** A systematic chaos run on a node of its own, from the start of the node to the counts. */
import type {LedgerEvent} from '../../machines/ledger/events.ts'
import {type ChaosNode, startChaosNode} from './chaos-node.ts'
import {judge, type Run} from './run-container.ts'
import {type Case, listCases, listRemains, runCases} from './systematic.ts'
import {addTallies, emptyTally, type Tally} from './tally.ts'

export interface SystematicChaos {
  readonly atOnce: number
  /** Selects the cases to run. */
  readonly choose?: (cases: readonly Case[]) => readonly Case[]
  readonly onProgress: (text: string) => void
}

export async function runSystematicChaos({atOnce, choose = (cases) => cases, onProgress}: SystematicChaos): Promise<Tally> {
  const node = await startChaosNode()
  const runs: Run[] = []
  let tally = emptyTally
  try {
    const cases = choose(await listCases(node))
    onProgress(`${cases.length} cases`)
    await runCases({
      node,
      cases,
      atOnce,
      onRun: ({kind}, run, isInjected) => {
        runs.push(run)
        if (isInjected) tally = addTallies(tally, {faults: {[kind]: 1}})
        if (run.stuck !== undefined) onProgress(`stuck: ${run.id} (${run.scenario.name}, ${run.what}): ${run.stuck}`)
        if (run.stuck === undefined && run.tookMs > slowMs)
          onProgress(`slow: ${run.id} (${run.scenario.name}, ${run.what}) took ${run.tookMs} ms`)
        if (runs.length % 50 === 0) onProgress(`${runs.length} of ${cases.length}`)
      },
    })
    const events = await readStream(node)
    tally = runs.map((run) => judge(run, events)).reduce(addTallies, tally)
    return await withLeftovers(node, tally)
  } catch (error) {
    await node.close()
    throw error
  }
}

/** A slower run is reported: something waits for a timeout. */
const slowMs = 15_000

/** Ends the node and adds what it left behind. */
export async function withLeftovers(node: ChaosNode, tally: Tally): Promise<Tally> {
  const remains = tally.stuck > 0 ? [] : listRemains(node)
  const leftovers = [...remains, ...Object.values(await node.close()).flat()]
  return addTallies(tally, {leftovers: leftovers.length, findings: leftovers.map((one) => `left: ${one}`)})
}

export async function readStream(node: ChaosNode): Promise<readonly LedgerEvent[]> {
  const client = await node.client()
  const events: LedgerEvent[] = []
  for await (const {event} of client.events({filter: {namespace: node.namespace}, follow: false})) events.push(event)
  return events
}
