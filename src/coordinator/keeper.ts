/**
 * What of a container would be gone with its supervisor, held a second time: its processes, by descriptors that tell how they ended
 * whoever reaps them, and the masters of its terminals. A supervisor that takes over is given them when it is started.
 *
 * Which they are the journals say, since the stream may be away. Pipes need no keeping: they are FIFOs, which can be opened again.
 */
import {closeSync, readdirSync, readFileSync, readlinkSync, statSync} from 'node:fs'
import {foldEvents, type Ledger} from '../../machines/ledger.ts'
import type {LedgerEvent, ProcessIdentity} from '../../machines/events.ts'
import {readJournalFile} from '../journal/file-journal.ts'
import type {Logger} from '../kernel/log.ts'
import {copyDescriptor, openPidfd} from '../linux/pidfd.ts'
import {isSameProcess, listProcesses, readProcessStat} from '../linux/process-table.ts'
import type {Kept} from '../supervisor/assignment.ts'
import {type Directories, toContainerLayout} from '../supervisor/layout.ts'
import {type ContainerName, listContainers} from './containers.ts'

export interface Keeper {
  /** Takes hold of what is new, and lets go of what has ended. */
  look(): void
  /** What is held of a container, with the descriptors of this process. */
  held(name: ContainerName): readonly Held[]
  /** What the journals say of a process that has ended. */
  standing(process: ProcessKey): Standing
}

export type ProcessKey = Pick<ProcessIdentity, 'pid' | 'startTimeTicks'>

/** `awaited`: its journal has no end of it yet, so who reaps it must know how it ended. `settled`: it has. `unknown`: no journal names it. */
export type Standing = 'awaited' | 'settled' | 'unknown'

export type Held = Kept

interface Container {
  /** Of the journal when it was read last. */
  readonly size: number
  readonly processes: readonly LiveProcess[]
  /** All that it has ever named, by pid and start. */
  readonly named: ReadonlySet<string>
}

interface LiveProcess {
  /** Undefined for init. */
  readonly exec: string | undefined
  readonly identity: ProcessIdentity
  readonly terminal: boolean
}

export interface KeeperOptions {
  readonly directories: Directories
  readonly logger: Logger
}

export function createKeeper({directories, logger}: KeeperOptions): Keeper {
  const containers = new Map<string, Container>()
  /** By container, process and kind. */
  const held = new Map<string, Held>()
  /** Of containers that are gone: what they have left to this process may still be there. */
  let gone: ReadonlySet<string> = new Set()

  return {
    look: () => {
      const names = listContainers(directories)
      for (const name of names) read(name)
      const present = new Set(names.map(toKey))
      for (const [key, {named}] of [...containers].filter(([known]) => !present.has(known))) {
        containers.delete(key)
        gone = new Set([...[...gone].filter(isThere), ...named])
      }
      const wanted = new Set([...containers].flatMap(([key, {processes}]) => processes.flatMap((one) => toHeldKeys(key, one))))
      for (const [key, {fd}] of [...held].filter(([known]) => !wanted.has(known))) {
        closeSync(fd)
        held.delete(key)
      }
      for (const name of names) for (const process of containers.get(toKey(name))?.processes ?? []) hold(name, process)
    },
    held: (name) => [...held].filter(([key]) => key.startsWith(`${toKey(name)} `)).map(([, one]) => one),
    standing: (process) => {
      const key = toProcessKey(process)
      const all = [...containers.values()]
      if (all.some(({processes}) => processes.some(({identity}) => toProcessKey(identity) === key))) return 'awaited'
      return gone.has(key) || all.some(({named}) => named.has(key)) ? 'settled' : 'unknown'
    },
  }

  function read(name: ContainerName): void {
    const {journal} = toContainerLayout(directories, name, '')
    const size = statSync(journal, {throwIfNoEntry: false})?.size ?? 0
    if (containers.get(toKey(name))?.size === size) return
    try {
      const events = [...readJournalFile(journal)]
      containers.set(toKey(name), {
        size,
        processes: toLiveProcesses(foldEvents(events)),
        named: new Set(events.flatMap(namedBy).map(toProcessKey)),
      })
    } catch (error) {
      logger.warn({err: error, ...name}, 'cannot read what is to be kept of this container')
      containers.set(toKey(name), {processes: [], named: new Set(), ...containers.get(toKey(name)), size})
    }
  }

  function hold(name: ContainerName, {exec, identity, terminal}: LiveProcess): void {
    const [processKey, terminalKey] = toHeldKeys(toKey(name), {exec, identity, terminal})
    const of = exec === undefined ? {} : {exec}
    if (processKey !== undefined && !held.has(processKey)) {
      const fd = holdProcess(identity)
      if (fd !== undefined) held.set(processKey, {type: 'process', ...of, pid: identity.pid, startTimeTicks: identity.startTimeTicks, fd})
    }
    if (terminalKey !== undefined && !held.has(terminalKey)) {
      const fd = holdTerminal(name, identity)
      if (fd !== undefined) held.set(terminalKey, {type: 'terminal', ...of, fd})
    }
  }

  function holdTerminal(name: ContainerName, {pid}: ProcessIdentity): number | undefined {
    const supervisor = findHolder(toContainerLayout(directories, name, '').journal)
    return supervisor === undefined ? undefined : copyMaster(supervisor, pid)
  }
}

function toKey({namespace, id}: ContainerName): string {
  return `${namespace}/${id}`
}

function toProcessKey({pid, startTimeTicks}: ProcessKey): string {
  return `${pid} ${startTimeTicks}`
}

function isThere(key: string): boolean {
  const [pid = 0, startTimeTicks] = key.split(' ').map(Number)
  return readProcessStat(pid)?.startTimeTicks === startTimeTicks
}

/** The processes that an event tells of for the first time. */
function namedBy(event: LedgerEvent): readonly ProcessIdentity[] {
  switch (event.type) {
    case 'container.created':
    case 'container.started':
      return event.data.init ? [event.data.init] : []
    case 'exec.started':
      return [event.data.process]
    default:
      return []
  }
}

function toHeldKeys(container: string, {exec = '', identity, terminal}: LiveProcess): readonly string[] {
  const key = `${container} ${exec} ${identity.pid} ${identity.startTimeTicks}`
  return [`${key} process`, ...(terminal ? [`${key} terminal`] : [])]
}

function toLiveProcesses({snapshot, processes}: Ledger): readonly LiveProcess[] {
  const {init, exited, terminal} = snapshot.context
  const own = init && !exited ? [{exec: undefined, identity: init, terminal}] : []
  const added = [...processes].flatMap(([exec, {context}]) =>
    context.process && !context.exited ? [{exec, identity: context.process, terminal: context.spec?.terminal === true}] : [],
  )
  return [...own, ...added]
}

/** Undefined where the kernel has no pidfds (before Linux 5.3), and for a process that has gone. */
function holdProcess(identity: ProcessIdentity): number | undefined {
  try {
    const fd = openPidfd(identity.pid)
    if (fd === undefined || isSameProcess(identity)) return fd
    closeSync(fd)
  } catch {}
  return undefined
}

/** The supervisor that has a journal open. */
function findHolder(journal: string): number | undefined {
  return listProcesses().find((pid) => isSupervisor(pid) && listDescriptors(pid).some(({target}) => target === journal))
}

function isSupervisor(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'latin1').startsWith('tally-supervisor')
  } catch {
    return false
  }
}

/** A supervisor has a master for each terminal of its container; they are told apart by their numbers. */
function copyMaster(supervisor: number, pid: number): number | undefined {
  const masters = listDescriptors(supervisor).filter(({target}) => target.endsWith('/ptmx'))
  const wanted = readProcessStat(pid)?.terminal
  const master = masters.length === 1 ? masters[0] : masters.find(({fd}) => readTerminalNumber(supervisor, fd) === wanted)
  const pidfd = master && openPidfd(supervisor)
  if (!master || pidfd === undefined) return undefined
  try {
    return copyDescriptor(pidfd, master.fd)
  } catch {
    // It has closed it meanwhile, or the kernel cannot (before Linux 5.6).
    return undefined
  } finally {
    closeSync(pidfd)
  }
}

/** proc_pid_fdinfo(5): which of the terminals of its file system a master belongs to. */
function readTerminalNumber(pid: number, fd: number): number | undefined {
  try {
    const number = /^tty-index:\s*(\d+)$/m.exec(readFileSync(`/proc/${pid}/fdinfo/${fd}`, 'utf8'))?.[1]
    return number === undefined ? undefined : Number(number)
  } catch {
    return undefined
  }
}

function listDescriptors(pid: number): readonly {readonly fd: number; readonly target: string}[] {
  try {
    return readdirSync(`/proc/${pid}/fd`).flatMap((name) => {
      try {
        return [{fd: Number(name), target: readlinkSync(`/proc/${pid}/fd/${name}`)}]
      } catch {
        return []
      }
    })
  } catch {
    return []
  }
}
