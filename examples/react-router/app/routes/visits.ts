import { sessionContext } from '../session.server';
import type { Route } from './+types/visits';

export function loader({ context }: Route.LoaderArgs) {
  return Response.json({ visits: context.get(sessionContext).get('visits', 0) });
}

export function action({ context }: Route.ActionArgs) {
  const visits = context.get(sessionContext).update('visits', (visits = 0) => visits + 1);
  return Response.json({ visits });
}
