import type {ContainerView} from '../../machines/views/view.ts'
import {sizeOf, takePage} from './page.ts'

/**
 * The view of a container as it fits into a reply: without the last of the processes that were added to it, when they are too many.
 * @param room bytes of the reply
 */
export function fitView(view: ContainerView, room: number): ContainerView {
  const {execs = [], ...rest} = view
  const left = room - sizeOf(rest)
  const page = takePage(execs, {room: left})
  const shown = sizeOf(page) > left ? [] : page
  const missing = execs[shown.length]
  if (!missing) return view
  return {...rest, ...(shown.length > 0 && {execs: [...shown]}), nextExec: missing.exec}
}
