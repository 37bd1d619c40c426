/** Replies that are too large even in chunks: requested in parts, and put together. */
import type {ContainerProcess, TopReply} from '../../machines/views/top.ts'
import type {ContainerView, ListReply} from '../../machines/views/view.ts'
import {TallyError} from '../kernel/errors.ts'

/** Of one page; fewer if they do not fit. */
const mostAtOnce = 1_000

export interface ListPage {
  readonly limit?: number
  readonly after?: string
}

/** In one reply if it fits; else page by page, in the order of names. */
export async function listAll(ask: (page: ListPage) => Promise<ListReply>): Promise<readonly ContainerView[]> {
  const whole = await orTooLarge(ask({}))
  if (whole) return whole.containers
  const views: ContainerView[] = []
  for (let after: string | undefined; ; ) {
    const {containers, next} = await ask({limit: mostAtOnce, ...(after !== undefined && {after})})
    views.push(...containers)
    if (next === undefined) return views
    after = next
  }
}

export interface TopPage {
  readonly limit?: number
  readonly after?: number
}

export async function topAll(ask: (page: TopPage) => Promise<TopReply>): Promise<TopReply> {
  const whole = await orTooLarge(ask({}))
  if (whole) return whole
  const processes: ContainerProcess[] = []
  for (let after: number | undefined; ; ) {
    const {next, ...reply} = await ask({limit: mostAtOnce, ...(after !== undefined && {after})})
    processes.push(...reply.processes)
    if (next === undefined) return {processes}
    after = next
  }
}

/** With the added processes that did not fit into the first reply. */
export async function completeView(view: ContainerView, ask: (execsFrom: string) => Promise<ContainerView>): Promise<ContainerView> {
  let whole = view
  while (whole.nextExec !== undefined) {
    const {execs = [], nextExec} = await ask(whole.nextExec)
    const {nextExec: _, ...shown} = whole
    whole = {...shown, execs: [...(shown.execs ?? []), ...execs], ...(nextExec !== undefined && execs.length > 0 && {nextExec})}
  }
  return whole
}

async function orTooLarge<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked
  } catch (error) {
    if (error instanceof TallyError && error.code === 'REPLY_TOO_LARGE') return undefined
    throw error
  }
}
