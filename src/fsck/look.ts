/** Collects what there is on a node of its containers. Changes nothing, takes no lock, and needs no process of the node. */
import {existsSync, readdirSync, readFileSync, readlinkSync, statSync} from 'node:fs'
import {basename, join} from 'node:path'
import {isId, parseSource} from '../../machines/ledger/ids.ts'
import {parseMounts, readCgroupProcesses} from '../linux/cgroup.ts'
import {toRealPath} from '../kernel/real-path.ts'
import {readLockHolders} from '../linux/locks.ts'
import {listMountsBelow} from '../linux/mount.ts'
import {isAlive, listProcesses} from '../linux/process-table.ts'
import {containersDir, type Directories, toContainerLayout} from '../layout/container-layout.ts'
import {readJournal} from './read-journal.ts'
import type {StreamedPart, StreamSurvey, Survey, SurveyedContainer, WholeJournal} from './survey.ts'
import type {ContainerName} from '../layout/container-name.ts'

export interface LookDependencies {
  /** The container's status, as the OCI runtime has it. @returns undefined when the runtime has no such container */
  readonly askRuntime: (name: ContainerName, journal: WholeJournal) => Promise<string | undefined>
  readonly readStream: () => Promise<StreamSurvey>
  /** Compares the journal with the stream. @returns undefined when that cannot be done */
  readonly compare: (name: ContainerName, journal: WholeJournal & {readonly file: string}) => Promise<StreamedPart | undefined>
  /** Epoch milliseconds. */
  readonly now: () => number
}

export async function look(
  node: string,
  directories: Directories,
  {askRuntime, readStream, compare, now}: LookDependencies,
): Promise<Survey> {
  const {stateDir, runDir} = directories
  const holders = readLockHolders()
  const stream = await readStream()
  const containers: SurveyedContainer[] = []
  for (const name of listNames(containersDir(stateDir))) containers.push(await lookAt(name))
  const supervised = listSupervised(stateDir)
  return {
    node,
    stateDir,
    isCoordinated: findHolder(join(stateDir, 'coordinator.lock')) !== undefined,
    containers,
    supervised,
    runtime: listNames(join(runDir, 'runc')).map((name) => ({...name, path: join(runDir, 'runc', name.namespace, name.id)})),
    runDirs: listNames(join(runDir, 'containers')).map((name) => ({...name, path: join(runDir, 'containers', name.namespace, name.id)})),
    mounts: listMountsBelow(containersDir(stateDir)).flatMap((target) => {
      const name = toNameBelow(toRealPath(containersDir(stateDir)), target)
      return name ? [{...name, target}] : []
    }),
    cgroups: listGroups(),
    processes: listUsers(directories),
    stream,
  }

  async function lookAt(name: ContainerName): Promise<SurveyedContainer> {
    const layout = toContainerLayout(directories, name, '')
    const file = layout.journal
    const journal = readJournal(file)
    const isWhole = journal.type === 'whole'
    return {
      ...name,
      file,
      journal,
      holder: findHolder(file),
      shim: findHolder(layout.runDir),
      ageMs: now() - (statSync(layout.stateDir, {throwIfNoEntry: false})?.mtimeMs ?? now()),
      isInitAlive: isWhole && journal.init !== undefined && isAlive(journal.init),
      runtimeStatus: isWhole ? await askRuntime(name, journal).catch(() => 'unasked') : undefined,
      hasFifos: existsSync(join(layout.fifoDir, 'stdout')),
      streamed: isWhole && stream.type === 'read' ? await compare(name, {...journal, file}) : undefined,
    }
  }

  /** The process that has the lock of a file. */
  function findHolder(file: string): number | undefined {
    const inode = statSync(file, {throwIfNoEntry: false})?.ino
    return inode === undefined ? undefined : holders.get(inode)
  }
}

/** `<root>/<ns>/<id>`; directories with other names are not containers'. */
function listNames(root: string): readonly ContainerName[] {
  return listDirectories(root).flatMap((namespace) => listDirectories(join(root, namespace)).map((id) => ({namespace, id})))
}

function listDirectories(path: string): readonly string[] {
  try {
    return readdirSync(path, {withFileTypes: true}).flatMap((entry) => (entry.isDirectory() && isId(entry.name) ? [entry.name] : []))
  } catch {
    // Not there, or gone since it was listed.
    return []
  }
}

function toNameBelow(root: string, path: string): ContainerName | undefined {
  if (!path.startsWith(`${root}/`)) return undefined
  const [namespace, id] = path.slice(root.length + 1).split('/')
  return isId(namespace) && isId(id) ? {namespace, id} : undefined
}

/** Containers for which a shim or a supervisor of this state directory runs, by the process titles. */
function listSupervised(stateDir: string): readonly (ContainerName & {readonly pid: number})[] {
  return listProcesses().flatMap((pid) => {
    const [, namespace, id] = /^tally-(?:shim|supervisor) ([\w-]+)\/([\w-]+)/.exec(readProc(pid, 'cmdline')) ?? []
    if (!isId(namespace) || !isId(id) || !readProc(pid, 'environ').includes(`"stateDir":${JSON.stringify(stateDir)}`)) return []
    return [{namespace, id, pid}]
  })
}

/** Groups that have names of containers' groups, in all hierarchies. */
function listGroups(): Survey['cgroups'] {
  const directories = parseMounts(readFileSync('/proc/self/mountinfo', 'utf8')).flatMap(({directory}) =>
    listTop(directory)
      .filter((name) => name.startsWith('tally-'))
      .map((name) => join(directory, name)),
  )
  const paths = [...new Set(directories.map((directory) => `/${basename(directory)}`))]
  return paths.map((path) => {
    const own = directories.filter((directory) => `/${basename(directory)}` === path)
    return {path, directories: own, processes: [...new Set(own.flatMap(readCgroupProcesses))]}
  })
}

function listTop(directory: string): readonly string[] {
  try {
    return readdirSync(directory)
  } catch {
    return []
  }
}

/** Processes, other than this one, that have files of a container open. */
function listUsers({stateDir, runDir}: Directories): Survey['processes'] {
  const roots = [containersDir(stateDir), join(runDir, 'containers')]
  return listProcesses()
    .filter((pid) => pid !== process.pid)
    .flatMap((pid) => {
      const files = listOpenFiles(pid)
      const found = roots.flatMap((root) => files.flatMap((file) => ({name: toNameBelow(root, file), file})))
      const [first] = found.flatMap(({name, file}) => (name ? [{...name, file}] : []))
      return first ? [{...first, pid, title: toTitle(pid)}] : []
    })
}

function listOpenFiles(pid: number): readonly string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`).map((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`))
  } catch {
    // It has ended.
    return []
  }
}

function toTitle(pid: number): string {
  return readProc(pid, 'cmdline').replaceAll('\0', ' ').trim().slice(0, 80) || readProc(pid, 'comm').trim()
}

function readProc(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8')
  } catch {
    return ''
  }
}

/** The name of the node, from its state directory, or from a journal; undefined before the first `tally up`. */
export function readNodeName(stateDir: string): string | undefined {
  const file = join(stateDir, 'node')
  if (existsSync(file)) {
    const name = readFileSync(file, 'utf8').trim()
    return isId(name) ? name : undefined
  }
  for (const name of listNames(containersDir(stateDir))) {
    const journal = readJournal(toContainerLayout({stateDir, runDir: stateDir}, name, '').journal)
    if (journal.type === 'whole') return parseSource(journal.source)?.node
  }
  return undefined
}
