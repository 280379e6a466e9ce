/** The users of this program. Yours are in a database. */
import { hashPassword, isPassword } from '../site/passwords.ts';

const users = new Map([['ada', { name: 'ada', password: await hashPassword('analytical engine') }]]);

export function findUser(name: string): Express.User | undefined {
  return users.get(name);
}

/** The user; undefined when the name or the password is wrong. */
export async function checkUser(name: string, password: string): Promise<Express.User | undefined> {
  const user = users.get(name);
  return (await isPassword(password, user?.password)) ? user : undefined;
}
