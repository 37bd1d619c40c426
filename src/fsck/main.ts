/** Puts the parts of fsck together: a survey, a second one that confirms the findings of the first, and the repairs. */
import {existsSync} from 'node:fs'
import {join} from 'node:path'
import type {NatsConnection} from 'nats'
import type {ContainerAddress} from '../../machines/ledger/ids.ts'
import {republishReplySchema} from '../../machines/views/republish.ts'
import {createSystemClock} from '../kernel/clock.ts'
import {TallyError, toErrorBody} from '../kernel/errors.ts'
import {requestJson} from '../messaging/codec.ts'
import {connectNats, readConnection} from '../messaging/connection.ts'
import type {NatsAccess} from '../messaging/servers.ts'
import {createSubjects, defaultPrefix, type Subjects} from '../messaging/subjects.ts'
import {createRunc} from '../runtime/runc/runc.ts'
import {toContainerLayout} from '../layout/container-layout.ts'
import {detect, listNotCompared} from './detect.ts'
import {type Finding, type Repair, toFindingKey} from './findings.ts'
import {look, readNodeName} from './look.ts'
import {compareContainer, readStream} from './read-stream.ts'
import {createRepairs, type RepairHandlers} from './repair.ts'
import type {StreamSurvey, Survey, WholeJournal} from './survey.ts'
import type {ContainerName} from '../layout/container-name.ts'

export interface FsckOptions {
  readonly stateDir: string
  readonly runDir: string
  readonly node: string | undefined
  /** Instead of what the node's connection file says. */
  readonly nats: NatsAccess | undefined
  readonly prefix: string | undefined
  /** Name or path of the OCI runtime. */
  readonly runtime: string
  readonly repair: boolean
}

/** A finding, and whether it was repaired. */
export type Outcome = Finding & {readonly repaired: boolean; readonly failure?: string}

export interface FsckReport {
  readonly node: string
  readonly findings: readonly Outcome[]
  /** What could not be compared, and why. */
  readonly notCompared: readonly string[]
}

const clock = createSystemClock()
/** Between the two surveys: what was under way at the first is done at the second. */
const settleMs = 1_500
const republishPatienceMs = 40_000

/** @throws TallyError STATE_DIR_INVALID when there never was a node */
export async function fsck(options: FsckOptions): Promise<FsckReport> {
  const {stateDir, runDir} = options
  if (!existsSync(stateDir)) throw new TallyError('STATE_DIR_INVALID', `no node has been here: expected a state directory at ${stateDir}`)
  const node = readNodeName(stateDir) ?? options.node
  if (node === undefined) throw new TallyError('STATE_DIR_INVALID', `expected a node name in ${join(stateDir, 'node')}, or --node`)
  await using session = await openSession(options)
  const survey = () => look(node, options, createLook(options, node, session))
  const before = await survey()
  const {findings, latest} = await confirm(before, survey)
  const repairs = createRepairs(options, {
    deleteFromRuntime: ({namespace, id}) => toRuntime(options, namespace).delete(id, {force: true}),
    republish: (name) => republish(session, {node, ...name}),
    clock,
  })
  const outcomes: Outcome[] = []
  for (const finding of findings) outcomes.push(options.repair ? await repairOne(repairs, finding) : {...finding, repaired: false})
  return {node, findings: outcomes, notCompared: listNotCompared(latest)}

  function toRuntime({runtime: binary}: FsckOptions, namespace: string) {
    return createRunc({binary, root: toContainerLayout({stateDir, runDir}, {namespace, id: 'x'}, '').runtimeRoot, logDir: stateDir})
  }
}

async function confirm(
  first: Survey,
  survey: () => Promise<Survey>,
): Promise<{readonly findings: readonly Finding[]; readonly latest: Survey}> {
  const found = detect(first)
  if (found.length === 0) return {findings: [], latest: first}
  await clock.sleep(settleMs)
  const latest = await survey()
  const again = new Set(found.map(toFindingKey))
  return {findings: detect(latest).filter((finding) => again.has(toFindingKey(finding))), latest}
}

async function repairOne(repairs: RepairHandlers, finding: Finding): Promise<Outcome> {
  const {repair} = finding
  if (!repair) return {...finding, repaired: false}
  try {
    await run(repairs, repair)
    return {...finding, repaired: true}
  } catch (error) {
    return {...finding, repaired: false, failure: toErrorBody(error).message}
  }
}

function run(repairs: RepairHandlers, repair: Repair): Promise<void> {
  switch (repair.type) {
    case 'delete-from-runtime':
      return repairs['delete-from-runtime'](repair)
    case 'remove-state-dir':
      return repairs['remove-state-dir'](repair)
    case 'remove-run-dir':
      return repairs['remove-run-dir'](repair)
    case 'remove-cgroup':
      return repairs['remove-cgroup'](repair)
    case 'republish':
      return repairs.republish(repair)
  }
}

type Session =
  | {readonly type: 'connected'; readonly connection: NatsConnection; readonly subjects: Subjects}
  | {readonly type: 'unreachable'; readonly why: string}

/** Without NATS everything else is compared nevertheless. */
async function openSession({runDir, nats, prefix}: FsckOptions): Promise<Session & AsyncDisposable> {
  const file = join(runDir, 'connection.json')
  const none = (why: string) => ({type: 'unreachable' as const, why, [Symbol.asyncDispose]: async () => {}})
  try {
    const known = await readConnection(file)
    const options = nats ?? known
    if (!options) return none(`NATS is not known, since there is no ${file}`)
    const connection = await connectNats({...options, name: `tally fsck ${process.pid}`})
    const subjects = createSubjects(prefix ?? known?.prefix ?? defaultPrefix)
    return {type: 'connected', connection, subjects, [Symbol.asyncDispose]: () => connection.close()}
  } catch (error) {
    return none(toErrorBody(error).message)
  }
}

function createLook({stateDir, runDir, runtime: usual}: FsckOptions, node: string, session: Session) {
  let stream: 'readable' | 'unreadable' = 'readable'
  return {
    now: clock.now,
    askRuntime: async ({namespace, id}: ContainerName, {runtime}: WholeJournal) => {
      const {runtimeRoot} = toContainerLayout({stateDir, runDir}, {namespace, id}, '')
      const {binary = usual, root = runtimeRoot} = runtime ?? {}
      return (await createRunc({binary, root, logDir: stateDir}).state(id))?.status
    },
    readStream: async (): Promise<StreamSurvey> => {
      if (session.type === 'unreachable') return session
      return await readStream(session.connection, session.subjects, node).catch((error: unknown) => ({
        type: 'unreachable',
        why: toErrorBody(error).message,
      }))
    },
    compare: async ({namespace, id}: ContainerName, {uid, file}: WholeJournal & {readonly file: string}) => {
      // Each further comparison would take its time until it fails.
      if (session.type === 'unreachable' || stream === 'unreadable') return undefined
      const container = {address: {node, namespace, id}, uid, file}
      return await compareContainer(session.connection, session.subjects, container).catch((error: unknown) => {
        if (toErrorBody(error).code === 'STREAM_UNREADABLE') stream = 'unreadable'
        return undefined
      })
    },
  }
}

async function republish(session: Session, address: ContainerAddress): Promise<void> {
  if (session.type === 'unreachable') throw new TallyError('NATS_UNREACHABLE', session.why)
  const subject = session.subjects.containerCommand(address, 'republish')
  const origin = {actor: 'fsck', correlationId: undefined}
  const reply = await requestJson(session.connection, subject, {}, {schema: republishReplySchema, timeoutMs: republishPatienceMs, origin})
  if (reply === undefined) {
    const {namespace, id} = address
    throw new TallyError('CONTAINER_NOT_FOUND', `nobody supervises ${namespace}/${id}: \`tally up\`, and it is published`)
  }
}
