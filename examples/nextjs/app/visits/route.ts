import { session } from 'flacon';
import { getSession, withSession } from '../../lib/session';

export async function GET() {
  const { visits = 0 } = await getSession();
  return Response.json({ visits });
}

export const POST = withSession(async () => {
  const visits = session.update('visits', (visits = 0) => visits + 1);
  return Response.json({ visits });
});
