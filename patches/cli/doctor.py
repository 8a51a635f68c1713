"""``patches doctor``: what is wrong with the scans of this host."""

from __future__ import annotations

import sys

import click

from patches.cli.options import HELP, tolerant_options_of
from patches.scanner.doctor.configuration import ConfigurationFacts
from patches.scanner.doctor.doctor_options import DOCTOR_EXPLAINED, DoctorSettings
from patches.scanner.options import FAMILY


@click.command(epilog=DOCTOR_EXPLAINED, context_settings=HELP, short_help="Show what is wrong with scans of this host.")
@tolerant_options_of(DoctorSettings, FAMILY)
def doctor(settings: DoctorSettings, configuration: ConfigurationFacts) -> None:
    """Check what scans of this host need, from options to reports, and print one line for each check."""
    from patches.scanner.doctor.doctor_command import run_doctor

    sys.exit(run_doctor(settings, configuration))
