/** The creates that are under way on this node. A retry joins its create: under load it comes before the journal has anything of it. */
import type {Asked} from '../../messaging/services.ts'
import type {ContainerName} from '../../layout/container-name.ts'
import {createRequestRegister} from '../../requests/request-register.ts'

export interface CreateRequests {
  /** Begins a create, or joins the one that this is a retry of. */
  join(name: ContainerName, origin: Asked, begin: () => Promise<unknown>): Promise<unknown>
}

interface Waiter {
  readonly resolve: (view: unknown) => void
  readonly reject: (error: unknown) => void
}

export function createCreateRequests(): CreateRequests {
  // What is accepted and settled is in the journal of the container: see former-create.ts.
  const register = createRequestRegister<ContainerName, Waiter, never>({rememberMs: 0})
  return {
    join: async (name, {actor, correlationId, isRetry}, begin) => {
      const key = {actor, correlationId, command: `create ${name.namespace}/${name.id}`}
      const known = register.find(key)
      if (known && !isRetry) return await begin()
      return await new Promise((resolve, reject) => {
        if (known) register.addWaiter(known.ticket, {resolve, reject})
        else run(register.queue(name, key, {resolve, reject}), begin)
      })
    },
  }

  function run(ticket: number, begin: () => Promise<unknown>): void {
    begin().then(
      (view) => {
        for (const {resolve} of register.withdraw(ticket)) resolve(view)
      },
      (error: unknown) => {
        for (const {reject} of register.withdraw(ticket)) reject(error)
      },
    )
  }
}
