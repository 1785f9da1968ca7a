"""beartype as the tests use it: an int may stand where a float is wanted, as every type checker allows."""

from beartype import BeartypeConf, beartype

checked = beartype(conf=BeartypeConf(is_pep484_tower=True))
