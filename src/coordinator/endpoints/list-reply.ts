import type {ContainerView, ListReply} from '../../../machines/views/view.ts'
import {fitView} from '../../messaging/fit-view.ts'
import {takePage} from '../../messaging/page.ts'

/** A page is in the order of names, so that a container that is made or deleted meanwhile moves no other. All of them unless a page is requested. */
export function toListReply(
  views: readonly ContainerView[],
  {limit, after}: {readonly limit?: number | undefined; readonly after?: string | undefined},
  room: number,
): ListReply {
  if (limit === undefined && after === undefined) return {containers: [...views]}
  const wanted = views.filter((view) => after === undefined || toName(view) > after).toSorted((a, b) => (toName(a) < toName(b) ? -1 : 1))
  const page = takePage(
    wanted.slice(0, limit).map((view) => fitView(view, room)),
    {room},
  )
  const last = page.at(-1)
  return {containers: [...page], ...(last && page.length < wanted.length && {next: toName(last)})}
}

/** `<ns>/<id>` */
function toName({namespace, id}: ContainerView): string {
  return `${namespace}/${id}`
}
