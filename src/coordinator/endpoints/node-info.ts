/** What `tally info` says of the node, without its containers. */
import type {NatsConnection} from 'nats'
import type {NodeInfo} from '../../../machines/views/view.ts'
import {version} from '../../kernel/version.ts'
import type {OciRuntime} from '../../runtime/oci-runtime.ts'
import type {Directories} from '../../layout/container-layout.ts'

export interface NodeInfoDependencies {
  readonly directories: Directories
  readonly startedAt: string
  /** What starts this coordinator again when it dies; undefined when there is nothing. */
  readonly parent: NodeInfo['parent']
  readonly program: NodeInfo['program']
  /** What could not be put right of what the coordinator inherited. */
  readonly warnings: readonly string[]
  /** How containers of this node can be confined. */
  readonly confinement: () => Promise<NodeInfo['confinement']>
  readonly runtime: Pick<OciRuntime, 'version'>
  readonly session: () => NatsConnection | undefined
  readonly natsUrl: () => string
  readonly natsPid: () => number | undefined
  readonly trouble: () => string | undefined
  readonly httpUrl: string | undefined
}

export async function readNodeInfo({
  directories: {stateDir, runDir},
  startedAt,
  parent,
  program,
  warnings,
  confinement,
  runtime,
  session,
  natsUrl,
  natsPid,
  trouble,
  httpUrl,
}: NodeInfoDependencies): Promise<Omit<NodeInfo, 'containers' | 'node' | 'supervisors'>> {
  const found = await runtime.version().catch(() => undefined)
  const natsVersion = session()?.info?.version
  const why = trouble()
  return {
    version,
    coordinatorPid: process.pid,
    ...(parent && {parent}),
    natsPid: natsPid() ?? null,
    natsUrl: natsUrl(),
    ...(natsVersion !== undefined && {natsVersion}),
    stateDir,
    runDir,
    ...(found && {runtime: found}),
    confinement: await confinement(),
    nodeVersion: process.version,
    ...(program && {program}),
    startedAt,
    ...(warnings.length > 0 && {warnings: [...warnings]}),
    ...(why !== undefined && {trouble: why}),
    ...(httpUrl !== undefined && {httpUrl}),
  }
}
