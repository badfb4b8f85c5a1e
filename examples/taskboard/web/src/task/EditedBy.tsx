import { Fragment } from 'react';
import { plain } from '../ui/text';

/** Says that others are editing a task. */
export function EditedBy({ names }: { names: string[] }) {
  if (names.length === 0) return null;
  const who =
    names.length > 2
      ? `${names.length} people`
      : names.map((name, i) => (
          <Fragment key={name}>
            {i > 0 && ' and '}
            <bdi>{plain(name)}</bdi>
          </Fragment>
        ));
  return (
    <span className="tag editing" data-testid="editing">
      {who} {names.length === 1 ? 'is' : 'are'} editing…
    </span>
  );
}
