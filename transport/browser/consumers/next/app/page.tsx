import { Plan } from './plan';

export default function Page() {
  return <Plan id="demo" />;
}
