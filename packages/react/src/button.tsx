import type { ButtonHTMLAttributes, ReactElement } from "react";
import { Icon, type IconName } from "./icon.tsx";

type ButtonProps = ButtonHTMLAttributes<HTMLButtonElement>;

/** A button, which sends a form only when its `type` says so. */
export function Button(props: ButtonProps): ReactElement {
  return <button type="button" className="plain" {...props} />;
}

/** A button without words: `label` says what it does. */
export function IconButton({ icon, label, ...props }: ButtonProps & { icon: IconName; label: string }): ReactElement {
  return (
    <Button className="icon" aria-label={label} title={label} {...props}>
      <Icon name={icon} />
    </Button>
  );
}
