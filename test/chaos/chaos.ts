/** A run of chaos on a node of its own, from its start to the table. */
import type {LedgerEvent} from '../../machines/ledger/events.ts'
import {type ChaosNode, startChaosNode} from './chaos-node.ts'
import {judge, type Run} from './run-container.ts'
import {type Case, listCases, listRemains, runCases} from './systematic.ts'
import {addTallies, emptyTally, type Tally} from './tally.ts'

export interface SystematicChaos {
  readonly atOnce: number
  /** Of all cases. */
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

/** Told, since somebody waits there who need not. */
const slowMs = 15_000

/** Ends the node. */
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
