import type {ContainerProcess, TopReply} from '../../machines/views/top.ts'
import {readCgroupProcesses} from '../linux/cgroup.ts'
import {type ProcessDetails, readProcessDetails, readUserNames} from '../linux/process-details.ts'
import {takePage} from '../messaging/page.ts'

export interface TopOptions {
  readonly cgroups: readonly string[]
  readonly initPid: number | undefined
  /** Which pids on the host came by which exec. */
  readonly execIds?: ReadonlyMap<number, string>
}

/** What runs in the container now, init first, then in the order of their start. */
export function listContainerProcesses({cgroups, initPid, execIds = new Map()}: TopOptions): readonly ContainerProcess[] {
  const pids = new Set(cgroups.flatMap(readCgroupProcesses))
  const details = [...pids].flatMap((pid) => readProcessDetails(pid) ?? [])
  const names = readUserNames()
  return toContainerProcesses(details, {initPid, execIds, names})
}

/** Of a command line in a page: one can be larger than a message. */
const mostArgsBytes = 16 * 1024

/** Pages go by pids, so that a process that has ended meanwhile leaves no gap. Without a page: all of them, in the order given. */
export function toTopReply(
  processes: readonly ContainerProcess[],
  {limit, after}: {readonly limit?: number | undefined; readonly after?: number | undefined},
  room: number,
): TopReply {
  if (limit === undefined && after === undefined) return {processes: [...processes]}
  const wanted = processes.filter(({pid}) => pid > (after ?? 0)).toSorted((a, b) => a.pid - b.pid)
  const page = takePage(wanted.map(cutArgs), {room, limit})
  const last = page.at(-1)
  return {processes: [...page], ...(last && page.length < wanted.length && {next: last.pid})}
}

function cutArgs(process: ContainerProcess): ContainerProcess {
  let left = mostArgsBytes
  const args = process.args.flatMap((arg) => {
    const shown = arg.slice(0, Math.max(0, left))
    left -= shown.length
    return shown === arg ? [arg] : shown === '' ? [] : [shown]
  })
  return left > 0 ? process : {...process, args, argsCut: true}
}

export interface Naming {
  readonly initPid: number | undefined
  readonly execIds: ReadonlyMap<number, string>
  readonly names: ReadonlyMap<number, string>
}

export function toContainerProcesses(details: readonly ProcessDetails[], {initPid, execIds, names}: Naming): readonly ContainerProcess[] {
  const parents = new Map(details.map(({pid, parentPid}) => [pid, parentPid]))
  return details
    .toSorted((a, b) => Number(b.pid === initPid) - Number(a.pid === initPid) || a.startedAtMs - b.startedAtMs || a.pid - b.pid)
    .map(({pid, parentPid, pidInContainer, state, uid, cpuMs, startedAtMs, args}) => {
      const execId = findExecId(pid)
      return {
        pid,
        parentPid,
        ...(pidInContainer !== undefined && {pidInContainer}),
        state,
        uid,
        user: names.get(uid) ?? String(uid),
        cpuMs,
        startedAt: new Date(startedAtMs).toISOString(),
        args: [...args],
        init: pid === initPid,
        ...(execId !== undefined && {execId}),
      }
    })

  /** Its own, or that of the nearest forebear. */
  function findExecId(pid: number): string | undefined {
    const seen = new Set<number>()
    for (let at: number | undefined = pid; at !== undefined && !seen.has(at); at = parents.get(at)) {
      if (execIds.has(at)) return execIds.get(at)
      seen.add(at)
    }
    return undefined
  }
}
