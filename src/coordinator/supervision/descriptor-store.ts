/**
 * Descriptors of containers that the coordinator has open a second time, because they would be gone with the supervisor: of their
 * processes, by which anybody learns how they ended, whoever reaps them; and the masters of their terminals. The next supervisor
 * inherits them. FIFOs are found again by their names, and are kept open here.
 *
 * Which there are is read from the journals, since the stream may not be reachable.
 */
import {closeSync, statSync} from 'node:fs'
import {emptyLedger, foldEvents, type Ledger} from '../../../machines/ledger/ledger.ts'
import type {LedgerEvent, ProcessIdentity} from '../../../machines/ledger/events.ts'
import {createJournalTail, type JournalTail} from '../../journal/journal-tail.ts'
import {toFileIdentity} from '../../kernel/files.ts'
import type {Logger} from '../../kernel/log.ts'
import {openPidfdOf} from '../../linux/pidfd.ts'
import {isSameProcess} from '../../linux/process-table.ts'
import type {InheritedDescriptor} from '../../supervisor/assignment.ts'
import {type ContainerLayout, type Directories, toContainerLayout} from '../../layout/container-layout.ts'
import {listContainers} from '../directories/containers.ts'
import type {ContainerName} from '../../layout/container-name.ts'
import {createOpenPipes, type PipePlace} from './open-pipes.ts'
import {copyTerminalMaster} from './terminal-master.ts'

export interface DescriptorStore {
  /** Opens what is new in the journals of all containers, and closes what belongs to processes that have ended. */
  refresh(): void
  /** Opens what is new of one container, and closes the inputs that are to end. */
  refreshContainer(name: ContainerName): void
  /** Opens the FIFOs of a process that is about to be added. */
  openPipes(name: ContainerName, exec: string): void
  /** What the next supervisor of a container inherits, with the descriptors of this process. */
  list(name: ContainerName): readonly InheritedDescriptor[]
  /** What the journals say of the exit of a process: it is awaited, so its status must not be lost; recorded; or the process is in no journal. */
  findExit(process: PidAndStart): 'awaited' | 'recorded' | 'unknown'
}

type PidAndStart = Pick<ProcessIdentity, 'pid' | 'startTimeTicks'>

/** What was read of a container's journal. */
interface ReadContainer {
  /** The journal as it was; undefined before it was read. */
  readonly file: {readonly identity: string; readonly size: bigint} | undefined
  readonly tail: JournalTail
  readonly ledger: Ledger
  readonly live: readonly LiveProcess[]
  /** All processes that the container ever had and that are not reaped yet. */
  readonly unreaped: readonly ProcessIdentity[]
  readonly pipes: readonly PipePlace[]
}

interface LiveProcess {
  /** Undefined for init. */
  readonly exec: string | undefined
  readonly identity: ProcessIdentity
  readonly terminal: boolean
}

export interface DescriptorStoreOptions {
  readonly directories: Directories
  readonly logger: Logger
}

export function createDescriptorStore({directories, logger}: DescriptorStoreOptions): DescriptorStore {
  const containers = new Map<string, ReadContainer>()
  /** By container, process and kind. */
  const descriptors = new Map<string, InheritedDescriptor>()
  const pipes = createOpenPipes()
  /** Processes of containers that are gone. */
  let unreapedOfDeleted: ProcessIdentity[] = []

  return {
    refresh: () => {
      const names = listContainers(directories)
      for (const name of names) read(name)
      const present = new Set(names.map(toKey))
      for (const [key, {unreaped}] of [...containers].filter(([name]) => !present.has(name))) {
        unreapedOfDeleted.push(...unreaped)
        containers.delete(key)
      }
      unreapedOfDeleted = unreapedOfDeleted.filter(isSameProcess)
      const wanted = new Set([...containers].flatMap(([key, {live}]) => live.flatMap((process) => toDescriptorKeys(key, process))))
      for (const [key, {fd}] of [...descriptors].filter(([open]) => !wanted.has(open))) {
        closeSync(fd)
        descriptors.delete(key)
      }
      closeOtherPipes()
      for (const name of names) openAll(name)
    },
    refreshContainer: (name) => {
      read(name)
      closeOtherPipes()
      openAll(name)
    },
    openPipes: (name, exec) => {
      // With the container known, they are not closed as those of no container before the process is started.
      read(name)
      pipes.open([{dir: toContainerLayout(directories, name, '').exec(exec).fifoDir, hasEnded: false, takesInput: true}])
    },
    list: (name) => [...descriptors].filter(([key]) => key.startsWith(`${toKey(name)} `)).map(([, descriptor]) => descriptor),
    findExit: (process) => {
      const all = [...containers.values()]
      if (all.some(({live}) => live.some(({identity}) => isSame(identity, process)))) return 'awaited'
      return [...all.flatMap(({unreaped}) => unreaped), ...unreapedOfDeleted].some((identity) => isSame(identity, process))
        ? 'recorded'
        : 'unknown'
    },
  }

  function closeOtherPipes(): void {
    pipes.closeOthers([...containers.values()].flatMap((container) => container.pipes))
  }

  function read(name: ContainerName): void {
    const layout = toContainerLayout(directories, name, '')
    const found = statSync(layout.journal, {throwIfNoEntry: false, bigint: true})
    if (!found) return
    const file = {identity: toFileIdentity(found), size: found.size}
    const former = containers.get(toKey(name)) ?? toUnread(layout)
    if (former.file?.identity === file.identity && former.file.size === file.size) return
    try {
      const {events, isOther} = former.tail.read()
      const ledger = foldEvents(events, isOther ? emptyLedger : former.ledger)
      containers.set(toKey(name), {
        file,
        tail: former.tail,
        ledger,
        live: toLiveProcesses(ledger),
        unreaped: [...former.unreaped, ...events.flatMap(toProcess)].filter(isSameProcess),
        pipes: toPipePlaces(ledger, layout),
      })
    } catch (error) {
      logger.warn({err: error, ...name}, 'cannot read which descriptors of this container are to be kept open')
      // The next time it is read from its beginning.
      containers.set(toKey(name), {...former, tail: createJournalTail(layout.journal), file})
    }
  }

  function openAll(name: ContainerName): void {
    const {live, pipes: places} = containers.get(toKey(name)) ?? {live: [], pipes: []}
    for (const process of live) openDescriptorsOf(name, process)
    pipes.open(places)
  }

  function openDescriptorsOf(name: ContainerName, {exec, identity, terminal}: LiveProcess): void {
    const [processKey, terminalKey] = toDescriptorKeys(toKey(name), {exec, identity, terminal})
    const of = exec === undefined ? {} : {exec}
    if (processKey !== undefined && !descriptors.has(processKey)) {
      const {pid, startTimeTicks} = identity
      const fd = openPidfdOf(identity)
      if (fd !== undefined) descriptors.set(processKey, {type: 'process', ...of, pid, startTimeTicks, fd})
    }
    if (terminalKey !== undefined && !descriptors.has(terminalKey)) {
      const fd = copyTerminalMaster(toContainerLayout(directories, name, '').journal, identity.pid)
      if (fd !== undefined) descriptors.set(terminalKey, {type: 'terminal', ...of, fd})
    }
  }
}

function toUnread({journal}: ContainerLayout): ReadContainer {
  return {file: undefined, tail: createJournalTail(journal), ledger: emptyLedger, live: [], unreaped: [], pipes: []}
}

function toKey({namespace, id}: ContainerName): string {
  return `${namespace}/${id}`
}

function toDescriptorKeys(container: string, {exec = '', identity, terminal}: LiveProcess): readonly string[] {
  const key = `${container} ${exec} ${identity.pid} ${identity.startTimeTicks}`
  return [`${key} process`, ...(terminal ? [`${key} terminal`] : [])]
}

function isSame(a: PidAndStart, b: PidAndStart): boolean {
  return a.pid === b.pid && a.startTimeTicks === b.startTimeTicks
}

function toProcess(event: LedgerEvent): readonly ProcessIdentity[] {
  if (event.type === 'exec.started') return [event.data.process]
  return (event.type === 'container.created' || event.type === 'container.started') && event.data.init ? [event.data.init] : []
}

function toPipePlaces({snapshot, processes}: Ledger, layout: ContainerLayout): readonly PipePlace[] {
  const {exited, request, stdinClosed} = snapshot.context
  const own = {dir: layout.fifoDir, hasEnded: exited !== undefined, takesInput: request?.stdin === true && !stdinClosed}
  const added = [...processes].map(([exec, {context}]) => ({
    dir: layout.exec(exec).fifoDir,
    hasEnded: context.exited !== undefined,
    takesInput: context.spec?.stdin === true && !context.stdinClosed,
  }))
  return [own, ...added]
}

function toLiveProcesses({snapshot, processes}: Ledger): readonly LiveProcess[] {
  const {init, exited, terminal} = snapshot.context
  const own = init && !exited ? [{exec: undefined, identity: init, terminal}] : []
  const added = [...processes].flatMap(([exec, {context}]) =>
    context.process && !context.exited ? [{exec, identity: context.process, terminal: context.spec?.terminal === true}] : [],
  )
  return [...own, ...added]
}
