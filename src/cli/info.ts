import type {Command} from 'commander'
import type {NodeInfo} from '../../machines/views/view.ts'
import {TallyError, toErrorBody} from '../kernel/errors.ts'
import {formatAge, formatTable} from './format.ts'
import {describeGivenUp, readParentStatus} from './node-parent.ts'
import type {NodeOptions} from './node-options.ts'
import {printJson} from './print.ts'
import {addVerb, withClient} from './verb.ts'

export function addInfo(program: Command): void {
  addVerb(program, 'info', 'show information on the node: processes, directories, versions, number of containers').action(
    async (_flags: unknown, command: Command) => {
      await withClient(command, async (client, options) => {
        const {json} = options
        const info = await client.info().catch(async (error: unknown) => {
          throw (await toGivenUp(options, error)) ?? error
        })
        if (json) printJson(info)
        else console.log(formatTable(['NODE', info.node], toRows(info, Date.now())))
      })
    },
  )
}

/** With what the coordinator said last. */
async function toGivenUp(options: NodeOptions, cause: unknown): Promise<TallyError | undefined> {
  const status = toErrorBody(cause).code === 'NODE_NOT_RUNNING' ? await readParentStatus(options) : undefined
  if (status?.phase !== 'gave-up') return undefined
  return new TallyError('NODE_NOT_RUNNING', `${describeGivenUp(status, options)}; \`tally up -d\` starts it again`, {cause})
}

function toRows(info: NodeInfo, now: number): readonly (readonly [string, string])[] {
  const {coordinatorPid, natsPid, natsUrl, stateDir, runDir, runtime, nodeVersion, containers, startedAt, version, httpUrl} = info
  const {natsVersion, confinement, trouble, parent, supervisors, warnings = []} = info
  const counts = Object.entries(containers).map(([state, count]) => `${count} ${state}`)
  return [
    ['Coordinator', `pid ${coordinatorPid}, started ${formatAge(startedAt, now)}`],
    ...(parent ? [['Parent', `pid ${parent.pid}, ${toCount(parent.starts, 'start')}, ${toCount(parent.deaths, 'death')}`] as const] : []),
    ['NATS', `${natsUrl} (${[natsPid === null ? 'external' : `embedded, pid ${natsPid}`, natsVersion].filter(Boolean).join(', ')})`],
    ...(trouble === undefined ? [] : [['Trouble', trouble] as const]),
    ['Page', httpUrl ? `${httpUrl} (\`tally ui\` opens it)` : 'none'],
    ['State', stateDir],
    ['Run', runDir],
    ['Runtime', runtime ? `${runtime.name} ${runtime.version} (${runtime.path})` : 'not found: expected runc to be installed'],
    ...(confinement ? [['Seccomp', confinement.seccomp] as const] : []),
    ...(confinement?.lacks.map((lack) => ['Unprotected', lack] as const) ?? []),
    ...warnings.map((warning) => ['Warning', warning] as const),
    ['Containers', counts.join(', ') || 'none'],
    ...(supervisors && counts.length > 0 ? [['Supervisors', toSupervisorCounts(supervisors)] as const] : []),
    ['Version', `${version}, Node.js ${nodeVersion}`],
  ]
}

/** Those that may be all there is, and of the others those that there are. */
function toSupervisorCounts({awake = 0, asleep = 0, none = 0, ...others}: NonNullable<NodeInfo['supervisors']>): string {
  const rest = Object.entries(others).flatMap(([state, count]) => (count > 0 ? [`${count} ${state.replace('-', ' ')}`] : []))
  return [`${awake} awake`, `${asleep} asleep`, `${none} not needed`, ...rest].join(', ')
}

function toCount(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`
}
