/** Kills processes of a node. The seed decides the kind and the time; the victim is chosen among the running processes of that kind. */
import {readFileSync} from 'node:fs'
import {setTimeout as sleep} from 'node:timers/promises'
import {listProcesses} from '../../src/linux/process-table.ts'
import type {ChaosNode} from './chaos-node.ts'
import type {Random} from './random.ts'
import {killClient} from './systematic.ts'

export const faultKinds = ['supervisor', 'shim', 'runtime', 'client', 'coordinator', 'nats-server'] as const
export type FaultKind = (typeof faultKinds)[number]

/** In percent. */
const weights: Readonly<Record<FaultKind, number>> = {supervisor: 45, shim: 10, runtime: 15, client: 10, coordinator: 10, 'nats-server': 10}

export interface Killed {
  readonly kind: FaultKind
  readonly atMs: number
  /** The container of a killed supervisor or shim. */
  readonly id?: string
}

export interface Faults {
  /** Injects one fault. @returns undefined when no process of that kind was running */
  inject(): Promise<Killed | undefined>
  /** Times without a coordinator: from its death until the next one responds. */
  readonly outages: readonly {readonly fromMs: number; readonly toMs: number}[]
  /** Resolves when the coordinator runs again. */
  recovered(): Promise<void>
}

/** Calls of the runtime are short: how long to wait for one. */
const runtimePatienceMs = 400

export function createFaults(node: ChaosNode, random: Random): Faults {
  const outages: {fromMs: number; toMs: number}[] = []
  let restart: Promise<void> = Promise.resolve()

  return {
    outages,
    recovered: () => restart,
    inject: async () => {
      const kind = choose()
      const share = random.next()
      const restMs = random.between(0, 1_500)
      switch (kind) {
        case 'supervisor':
        case 'shim':
        case 'nats-server':
          return killOne(kind, share)
        case 'runtime': {
          for (const giveUpAt = Date.now() + runtimePatienceMs; Date.now() < giveUpAt; await sleep(5)) {
            const killed = killOne(kind, share)
            if (killed) return killed
          }
          return undefined
        }
        case 'coordinator': {
          await restart
          const killed = killOne(kind, share)
          if (!killed) return undefined
          restart = comeBack(killed.atMs, restMs)
          return killed
        }
        case 'client':
          return await killReader(Math.floor(share * 3), restMs / 4)
      }
    },
  }

  function choose(): FaultKind {
    const lot = random.next() * 100
    const upTo = (kind: FaultKind) => faultKinds.slice(0, faultKinds.indexOf(kind) + 1).reduce((sum, one) => sum + weights[one], 0)
    return faultKinds.find((kind) => lot < upTo(kind)) ?? 'supervisor'
  }

  /** Restarts the coordinator as a service manager would do. */
  async function comeBack(fromMs: number, restMs: number): Promise<void> {
    await sleep(restMs)
    await node.up()
    // The coordinator looks for descriptors to keep once a second.
    outages.push({fromMs, toMs: Date.now() + 1_000})
  }

  function killOne(kind: FaultKind, share: number): Killed | undefined {
    const candidates = listOf(kind)
    const victim = candidates[Math.floor(share * candidates.length)]
    if (!victim || !kill(victim.pid)) return undefined
    const id = kind === 'supervisor' || kind === 'shim' ? victim.title.split('/').at(-1) : undefined
    return {kind, atMs: Date.now(), ...(id !== undefined && {id})}
  }

  function listOf(kind: FaultKind): readonly {readonly pid: number; readonly title: string}[] {
    const all = listProcesses().map((pid) => ({pid, title: readTitle(pid)}))
    switch (kind) {
      case 'supervisor':
        return all.filter(({title}) => title.startsWith(`tally-supervisor ${node.namespace}/`))
      case 'shim':
        return all.filter(({title}) => title.startsWith(`tally-shim ${node.namespace}/`))
      case 'coordinator':
        return all.filter(({pid, title}) => title.startsWith('tally-coordinator chaos') && readEnvironment(pid).includes(node.stateDir))
      case 'nats-server':
        return all.filter(({title}) => title.startsWith('nats-server') && title.includes(node.stateDir))
      case 'runtime':
        return all.filter(({title}) => title.startsWith('runc ') && title.includes(`--log ${node.stateDir}`))
      case 'client':
        return []
    }
  }

  /** Starts a client that follows or waits, and kills it. */
  async function killReader(which: number, afterMs: number): Promise<Killed> {
    const [container] = listOf('supervisor')
    const id = container?.title.split('/').at(-1) ?? 'nobody'
    const verbs = [['logs', '-f', id], ['wait', id], ['events']]
    await killClient(node, verbs[which] ?? ['ps'], 200 + afterMs)
    return {kind: 'client', atMs: Date.now()}
  }
}

function readTitle(pid: number): string {
  return readProc(pid, 'cmdline').replaceAll('\0', ' ').trim()
}

function readEnvironment(pid: number): string {
  return readProc(pid, 'environ')
}

function readProc(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'latin1')
  } catch {
    return ''
  }
}

function kill(pid: number): boolean {
  try {
    process.kill(pid, 'SIGKILL')
    return true
  } catch {
    return false
  }
}
