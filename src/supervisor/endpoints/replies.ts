/** Replies: the ledger as its supervisor shows it. */
import type {Ledger} from '../../../machines/ledger/ledger.ts'
import type {ContainerView, ProcessView} from '../../../machines/views/view.ts'
import {toView as toViewBy, toWholeView} from '../../observation/views.ts'

const responder = {supervisorPid: process.pid}

export function toOwnView(ledger: Ledger): ContainerView {
  return toWholeView(ledger, responder)
}

export function toView(ledger: Ledger, exec: string | undefined): ContainerView | ProcessView {
  return toViewBy(ledger, exec, responder)
}
