/** Containers that come and go, several at a time: each is created, started, waited for and deleted, and nothing of it stays. */
import {existsSync, readdirSync} from 'node:fs'
import {join} from 'node:path'
import {setTimeout as sleep} from 'node:timers/promises'
import {connectTally, type ContainerClient, type TallyClient} from '../../src/client/index.ts'
import {TallyError} from '../../src/kernel/errors.ts'
import type {TallyNode} from './tally-node.ts'

export interface ChurnOptions {
  readonly lives: number
  /** How many live at once. */
  readonly width?: number
  /** In which namespace a life is, by its number. */
  readonly namespace?: (life: number) => string
  /** Its id, by its number and by that of the worker that leads it through its life. */
  readonly id?: (life: number, leader: number) => string
  /** Several use the same id: a create that is refused is retried at once. */
  readonly sharesIds?: boolean
  /** Whether its program is missing: its create fails, and nothing of it is left by then. */
  readonly fails?: (life: number) => boolean
  /** What else happens while it runs. It ends when this has resolved. */
  readonly meanwhile?: (container: ContainerClient, life: number) => Promise<void>
}

/**
 * @returns what went wrong, a line for each life that did not go as it should
 */
export async function churn(node: TallyNode, options: ChurnOptions): Promise<readonly string[]> {
  const {lives, width = 4} = options
  const faults: string[] = []
  let next = 0
  await Promise.all(Array.from({length: width}, (_, leader) => lead(leader)))
  return faults

  async function lead(leader: number): Promise<void> {
    await using client = await connectTally({runDir: node.runDir})
    for (let life = next++; life < lives; life = next++) {
      try {
        const expected = 1 + (life % 100)
        const got = await live(client, {life, leader, expected}, {...options, rootfs: node.rootfs})
        if (got !== expected) faults.push(`life ${life}: expected exit status ${expected}, got ${got}`)
      } catch (error) {
        faults.push(`life ${life}: ${error instanceof Error ? error.message : String(error)}`)
      }
    }
  }
}

interface Life {
  readonly life: number
  readonly leader: number
  readonly expected: number
}

async function live(
  client: TallyClient,
  {life, leader, expected}: Life,
  {namespace, id, sharesIds, fails, meanwhile, rootfs}: ChurnOptions & {readonly rootfs: string},
): Promise<number | string> {
  const name = {namespace: namespace?.(life) ?? 'default', id: id?.(life, leader) ?? `life-${life}`}
  const script = meanwhile ? `read line; exit ${expected}` : `exit ${expected}`
  const request = {...name, rootfs, overlay: false, args: ['sh', '-c', script], ...(meanwhile && {stdin: true})}
  const obstacles = new Set(['NODE_NOT_RUNNING', ...(sharesIds ? ['CONTAINER_EXISTS'] : [])])
  if (fails?.(life)) return await failToCreate(() => oncePossible(() => client.create({...request, args: ['/none']}), obstacles), expected)
  await oncePossible(() => client.create(request), obstacles)
  const container = client.container(name.id, name.namespace)
  await container.start()
  if (meanwhile) {
    await meanwhile(container, life)
    await container.closeStdin()
  }
  const {exit} = await container.wait()
  await container.delete()
  return exit?.type === 'code' ? exit.code : JSON.stringify(exit)
}

async function failToCreate(create: () => Promise<unknown>, expected: number): Promise<number | string> {
  const code = await create().then(
    () => 'made',
    (error: unknown) => (error instanceof TallyError ? error.code : String(error)),
  )
  return code === 'COMMAND_NOT_FOUND' ? expected : code
}

/** While the coordinator is away, or the id is in use, a create is refused at once and changes nothing: it is retried. */
async function oncePossible<T>(ask: () => Promise<T>, obstacles: ReadonlySet<string>): Promise<T> {
  for (const giveUpAt = Date.now() + 30_000; ; await sleep(1)) {
    try {
      return await ask()
    } catch (error) {
      if (!(error instanceof TallyError && obstacles.has(error.code)) || Date.now() > giveUpAt) throw error
    }
  }
}

/** What containers have left in the directories that they share. */
export function listRemains({stateDir, runDir}: Pick<TallyNode, 'stateDir' | 'runDir'>): readonly string[] {
  const roots = [join(stateDir, 'containers'), join(runDir, 'containers'), join(runDir, 'runc')]
  return roots
    .filter((root) => existsSync(root))
    .flatMap((root) => readdirSync(root, {recursive: true}).map((name) => join(root, String(name))))
}
