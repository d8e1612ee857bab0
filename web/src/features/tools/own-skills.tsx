// Skills of one's own.
export function OwnSkills() {
  return null;
}
